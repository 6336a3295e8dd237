// Command vault is the Vault server that bbsync's tests run against, built
// from Go modules so that nothing has to be installed by hand.
//
// It lives in a module of its own: its hundreds of dependencies are none of
// bbsync's. It is never shipped. "make vault" builds it, with the tag "minimal"
// that leaves out the database and cloud back ends no test needs.
//
// It takes the arguments of the real command, and two that tests need:
//
//	vault until-eof ARGS...       runs ARGS until standard input ends
//	vault plugin-auth-kubernetes  is the plug-in for Kubernetes login
//
// go.mod and go.sum come from "go list -mod=mod -tags minimal -deps .", not from
// "go mod tidy", which would fetch the test dependencies of every module below.
package main

import (
	"io"
	"log"
	"os"

	kubeauth "github.com/hashicorp/vault-plugin-auth-kubernetes"
	"github.com/hashicorp/vault/command"
	"github.com/hashicorp/vault/sdk/plugin"
)

func main() {
	args := os.Args[1:]
	if len(args) == 0 {
		os.Exit(command.Run(args))
	}
	switch args[0] {
	case "until-eof":
		go stopAtEOF()
		os.Exit(command.Run(args[1:]))
	case "plugin-auth-kubernetes":
		go stopAtEOF() // a plug-in inherits its server's standard input
		serveKubernetes()
	default:
		os.Exit(command.Run(args))
	}
}

// stopAtEOF ends this process when standard input does. A test holds the other
// end of the pipe: however the test dies, by panic, deadline or kill, its server
// goes with it.
func stopAtEOF() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0) // a clean shutdown takes a second, and all there is to save is in memory
}

// serveKubernetes offers Kubernetes login to the Vault that started this process:
// the tag "minimal" leaves that method out of the server itself. The plug-in's
// packages are in the server anyway, so one binary is both.
func serveKubernetes() {
	if err := plugin.ServeMultiplex(&plugin.ServeOpts{BackendFactoryFunc: kubeauth.Factory}); err != nil {
		log.Fatal(err)
	}
}
