// Prints what real packages expose after requests of known number: promhttp's middleware, or go-grpc-middleware's.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
)

func overHTTP() {
	registry := prometheus.NewRegistry()
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_requests_total", Help: "Requests."}, []string{"code", "method", "handler"})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "http_request_duration_seconds", Help: "Latency.", Buckets: prometheus.DefBuckets}, []string{"code", "method", "handler"})
	registry.MustRegister(requests, seconds)
	mux := http.NewServeMux()
	serve := func(path string) {
		labels := prometheus.Labels{"handler": path}
		inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			code := http.StatusOK
			fmt.Sscan(r.URL.Query().Get("code"), &code)
			w.WriteHeader(code)
		})
		mux.Handle(path, promhttp.InstrumentHandlerDuration(seconds.MustCurryWith(labels), promhttp.InstrumentHandlerCounter(requests.MustCurryWith(labels), inner)))
	}
	serve("/")
	serve("/healthz")
	sent := []int{0, 0, 0}
	for round, wanted := range rounds {
		for at, code := range []int{200, 404, 503} {
			for ; sent[at] < wanted[at]; sent[at]++ {
				mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", fmt.Sprintf("/?code=%d", code), nil))
			}
		}
		for probe := 0; probe < 10; probe++ {
			mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/healthz", nil))
		}
		print(registry, round)
	}
}

type health struct {
	healthpb.UnimplementedHealthServer
}

func (health) Check(_ context.Context, asked *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	code := codes.OK
	if asked.Service != "" {
		must(code.UnmarshalJSON([]byte(`"` + asked.Service + `"`)))
	}
	if code != codes.OK {
		return nil, status.Error(code, "as asked")
	}
	return &healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_SERVING}, nil
}

// The service's own method, beside the health service that probes ask.
var shop = grpc.ServiceDesc{ServiceName: "shop.Shop", HandlerType: (*healthpb.HealthServer)(nil), Methods: []grpc.MethodDesc{{
	MethodName: "Buy",
	Handler: func(server any, ctx context.Context, read func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		asked := new(healthpb.HealthCheckRequest)
		must(read(asked))
		info := &grpc.UnaryServerInfo{Server: server, FullMethod: "/shop.Shop/Buy"}
		return interceptor(ctx, asked, info, func(ctx context.Context, asked any) (any, error) {
			return server.(health).Check(ctx, asked.(*healthpb.HealthCheckRequest))
		})
	},
}}}

func overGRPC() {
	registry := prometheus.NewRegistry()
	metrics := grpcprom.NewServerMetrics(grpcprom.WithServerHandlingTimeHistogram())
	registry.MustRegister(metrics)
	server := grpc.NewServer(grpc.UnaryInterceptor(metrics.UnaryServerInterceptor()))
	server.RegisterService(&shop, health{})
	healthpb.RegisterHealthServer(server, health{})
	listener := bufconn.Listen(1 << 20)
	go server.Serve(listener)
	conn, err := grpc.NewClient("passthrough:///memory", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return listener.Dial() }))
	must(err)
	client := healthpb.NewHealthClient(conn)
	sent := []int{0, 0, 0}
	for round, wanted := range rounds {
		for at, code := range []string{"", "NOT_FOUND", "UNAVAILABLE"} {
			for ; sent[at] < wanted[at]; sent[at]++ {
				_ = conn.Invoke(context.Background(), "/shop.Shop/Buy", &healthpb.HealthCheckRequest{Service: code}, new(healthpb.HealthCheckResponse))
			}
		}
		for probe := 0; probe < 10; probe++ {
			_, err = client.Check(context.Background(), &healthpb.HealthCheckRequest{})
			must(err)
		}
		print(registry, round)
	}
}

func main() {
	switch os.Args[1] {
	case "promhttp":
		overHTTP()
	case "grpc":
		overGRPC()
	}
}
