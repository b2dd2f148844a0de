// Package git serves one Git repository on loopback, over the smart HTTP protocol
// that GitOps controllers read from. It needs the git program.
package git

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Branch that the repository has.
const Branch = "main"

// Server serves a repository.
type Server struct {
	server  *http.Server
	address string
	dir     string
}

// Start makes an empty repository in the directory and serves it.
func Start(ctx context.Context, dir string) (*Server, error) {
	program, err := exec.LookPath("git")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	if err := os.MkdirAll(s.Dir(), 0o755); err != nil {
		return nil, err
	}
	if err := s.git(ctx, "init", "--quiet", "--initial-branch="+Branch); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.address = listener.Addr().String()
	s.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: &cgi.Handler{
		Path: program, Args: []string{"http-backend"},
		Env: append(isolated(), "GIT_PROJECT_ROOT="+dir, "GIT_HTTP_EXPORT_ALL=1"),
	}}
	go func() { _ = s.server.Serve(listener) }() // it ends with Stop
	return s, nil
}

// URL to clone from.
func (s *Server) URL() string { return "http://" + s.address + "/" + filepath.Base(s.repository()) }

// Dir is the work tree. Commit commits what stands there.
func (s *Server) Dir() string { return filepath.Join(s.dir, "tree") }

func (s *Server) repository() string { return filepath.Join(s.dir, "repository.git") }

// Stop ends the server. The repository stays.
func (s *Server) Stop() error { return s.server.Close() }

// Commit commits the work tree as it is. It is an error when nothing has changed.
func (s *Server) Commit(ctx context.Context, message string) error {
	if err := s.git(ctx, "add", "--all"); err != nil {
		return err
	}
	return s.git(ctx, "commit", "--quiet", "--message", message)
}

// Write writes files of the work tree, by their names, and removes those without
// content; then it commits.
func (s *Server) Write(ctx context.Context, message string, files map[string]string) error {
	for name, content := range files {
		path := filepath.Join(s.Dir(), filepath.FromSlash(name))
		if content == "" {
			if err := os.Remove(path); err != nil {
				return err
			}
			continue
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			return err
		}
	}
	return s.Commit(ctx, message)
}

// Head is the id of the last commit.
func (s *Server) Head(ctx context.Context) (string, error) { return s.output(ctx, "rev-parse", Branch) }

func (s *Server) git(ctx context.Context, args ...string) error {
	_, err := s.output(ctx, args...)
	return err
}

// output is what git prints, trimmed.
func (s *Server) output(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"--git-dir=" + s.repository(), "--work-tree=" + s.Dir()}, args...)...)
	cmd.Env = append(isolated(), "PATH="+os.Getenv("PATH"),
		"GIT_AUTHOR_NAME=local", "GIT_AUTHOR_EMAIL=local@example.org",
		"GIT_COMMITTER_NAME=local", "GIT_COMMITTER_EMAIL=local@example.org")
	out, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", args[0], err, text)
	}
	return text, nil
}

// isolated keeps settings of the machine out: hooks, signatures, other branches.
func isolated() []string {
	return []string{"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull}
}
