package main

import (
	"archive/tar"
	"bytes"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// epoch is the time of everything in an image: two builds of one commit must not
// differ in it.
var epoch = time.Unix(0, 0).UTC()

// A file of an image. It belongs to root; nobody may write it.
type file struct {
	path    string // without the leading slash
	mode    int64
	content []byte
}

// newLayer of files and the folders above them, the same bytes for the same files.
func newLayer(files ...file) (v1.Layer, error) {
	buf := &bytes.Buffer{}
	w := tar.NewWriter(buf)

	for _, dir := range foldersOf(files) {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, ModTime: epoch}); err != nil {
			return nil, err
		}
	}

	for _, f := range slices.SortedFunc(slices.Values(files), func(a, b file) int { return strings.Compare(a.path, b.path) }) {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.path, Mode: f.mode, Size: int64(len(f.content)), ModTime: epoch}); err != nil {
			return nil, err
		}

		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}

	if err := w.Close(); err != nil {
		return nil, err
	}

	// Compressed once and kept: digest, size, upload and file each read it.
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(buf.Bytes())), nil
	}, tarball.WithCompressedCaching)
}

// foldersOf files, parents first.
func foldersOf(files []file) []string {
	var dirs []string

	for _, f := range files {
		for dir := path.Dir(f.path); dir != "."; dir = path.Dir(dir) {
			dirs = append(dirs, dir)
		}
	}

	slices.Sort(dirs)

	return slices.Compact(dirs)
}
