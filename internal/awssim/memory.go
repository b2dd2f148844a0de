package awssim

import (
	"io"
	"net/http"
	"net/http/httptest"
)

// Do answers a request without a network, so that a test can run in a bubble of
// testing/synctest and its clock moves. It is what the SDK wants of an HTTP client.
// A request whose context ends is answered with the context's error, and a
// connection that a fault cuts with io.ErrUnexpectedEOF.
func (s *Sim) Do(r *http.Request) (out *http.Response, err error) {
	defer func() {
		if recover() == nil { // http.ErrAbortHandler, as a real server has it
			return
		}
		if out, err = nil, r.Context().Err(); err == nil {
			err = io.ErrUnexpectedEOF
		}
	}()
	served := r.Clone(r.Context())
	served.Host = r.URL.Host
	w := httptest.NewRecorder()
	s.ServeHTTP(w, served)
	return w.Result(), nil
}
