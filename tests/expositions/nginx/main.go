// Prints what ingress-nginx's controller exposes of requests of known number. It is built within the module of ingress-nginx,
// with `go/scrapes.go` beside it: its collector is internal; nginx' own part, a line of JSON for each request to the controller's socket, is sent from here.
package main

import (
	"encoding/json"
	"net"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/util/sets"

	"k8s.io/ingress-nginx/internal/ingress/metric/collectors"
)

func sent(service, status string) {
	conn, err := net.Dial("unix", "/tmp/nginx/prometheus-nginx.socket")
	must(err)
	must(json.NewEncoder(conn).Encode([]map[string]any{{
		"host": "shop.example.com", "status": status, "method": "GET", "path": "/", "namespace": "prod", "ingress": "shop",
		"service": service, "canary": "", "requestLength": 100, "requestTime": 0.02, "responseLength": 200,
		"upstreamLatency": 0.001, "upstreamHeaderTime": 0.01, "upstreamResponseTime": 0.02,
	}}))
	must(conn.Close())
}

func counted(name string, registry *prometheus.Registry) (total float64) {
	gathered, err := registry.Gather()
	must(err)
	for _, family := range gathered {
		for _, metric := range family.GetMetric() {
			if family.GetName() == name {
				total += metric.GetCounter().GetValue()
			}
		}
	}
	return total
}

func main() {
	must(os.MkdirAll("/tmp/nginx", 0o755))
	buckets := collectors.HistogramBuckets{TimeBuckets: prometheus.DefBuckets, LengthBuckets: []float64{10}, SizeBuckets: []float64{10}}
	collector, err := collectors.NewSocketCollector("ingress-nginx-controller-0", "ingress-nginx", "nginx", true, false, buckets, nil)
	must(err)
	collector.SetHosts(sets.New("shop.example.com"))
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector)
	go collector.Start()
	had, all := []int{0, 0, 0}, 0.0
	for round, wanted := range rounds {
		for at, code := range []string{"200", "404", "503"} {
			for ; had[at] < wanted[at]; had[at]++ {
				for _, service := range []string{"shop-v1", "shop-v2", "cart-v1"} {
					sent(service, code)
					all++
				}
			}
		}
		for until := time.Now().Add(20 * time.Second); counted("nginx_ingress_controller_requests", registry) < all; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(until) {
				panic("the collector has not taken all")
			}
		}
		print(registry, round)
	}
}
