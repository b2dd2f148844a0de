// Command function serves function-hostnetwork-nlb, which composes load balancers
// for Crossplane. What it decides is in internal/composition.
package main

import (
	"flag"
	"fmt"
	"os"

	function "github.com/crossplane/function-sdk-go"
)

// version is set when a release is built.
var version = "dev"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "function-hostnetwork-nlb:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("function-hostnetwork-nlb", flag.ContinueOnError)
	network := flags.String("network", function.DefaultNetwork, "Network to listen on.")
	address := flags.String("address", function.DefaultAddress, "Address to listen on.")
	metrics := flags.String("metrics-address", function.DefaultMetricsAddress, "Address of the metrics; empty for none.")
	certs := flags.String("tls-certs-dir", os.Getenv("TLS_SERVER_CERTS_DIR"),
		"Directory with tls.key, tls.crt and ca.crt: who calls must have a certificate of that authority. Default: what Crossplane sets in the environment.")
	insecure := flags.Bool("insecure", false, "Serve without certificates, for development.")
	debug := flags.Bool("debug", false, "Log more.")

	if err := flags.Parse(args); err != nil {
		return err
	}

	log, err := function.NewLogger(*debug)
	if err != nil {
		return fmt.Errorf("cannot log: %w", err)
	}

	log.Info("serving", "version", version, "address", *address)

	return function.Serve(&server{log: log},
		function.Listen(*network, *address),
		function.MTLSCertificates(*certs),
		function.Insecure(*insecure),
		function.WithMetricsServer(*metrics))
}
