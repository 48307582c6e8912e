// Command mesh is Istio's pilot-discovery and pilot-agent in one binary: it runs the one whose name it is called by.
package main

import (
	"os"
	"path/filepath"

	meshconfig "istio.io/api/mesh/v1alpha1"
	agent "istio.io/istio/pilot/cmd/pilot-agent/app"
	discovery "istio.io/istio/pilot/cmd/pilot-discovery/app"
	istioagent "istio.io/istio/pkg/istio-agent"
	"istio.io/istio/pkg/log"
	"istio.io/istio/pkg/security"
	"istio.io/istio/security/pkg/nodeagent/sds"
)

func newSDS(options *security.Options, secrets security.SecretManager, keys *meshconfig.PrivateKeyProvider) istioagent.SDSService {
	return sds.NewServer(options, secrets, keys)
}

func main() {
	log.EnableKlogWithCobra()
	command := discovery.NewRootCommand()
	if filepath.Base(os.Args[0]) == "pilot-agent" {
		command = agent.NewRootCommand(newSDS)
	}
	if err := command.Execute(); err != nil {
		log.Error(err)
		os.Exit(255)
	}
}
