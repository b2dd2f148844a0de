package crossplane

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// router is an HTTP proxy that leads Crossplane's core to functions. The core
// asks it to connect to a function's Service, such as
// function-auto-ready.crossplane-system:9443, and is connected to the process
// that plays the pods behind it. TLS is between core and function, and verifies
// the Service's name.
type router struct {
	server  *http.Server
	address string

	mu      sync.Mutex
	targets map[string]string // loopback addresses by host and port
}

func startRouter() (*router, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &router{address: listener.Addr().String(), targets: map[string]string{}}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(listener) }() // it ends with stop
	return r, nil
}

func (r *router) url() string { return "http://" + r.address }

func (r *router) stop() error { return r.server.Close() }

// lead makes connections to the service go to the address from now on.
func (r *router) lead(service, address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.targets[service] = address
}

// ServeHTTP connects a client to the target that it asks for.
func (r *router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	address := r.targets[req.Host]
	r.mu.Unlock()
	if req.Method != http.MethodConnect || address == "" {
		http.Error(w, fmt.Sprintf("%s %s: no function runs there", req.Method, req.Host), http.StatusServiceUnavailable)
		return
	}
	server, err := net.Dial("tcp", address)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = server.Close()
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	go join(client, server)
	join(server, client)
}

// join copies until one side has ended, and then ends both.
func join(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
}
