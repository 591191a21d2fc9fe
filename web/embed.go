// Package web holds the built page.
package web

import (
	"embed"
	"io/fs"
)

// The committed file .gitkeep lets the pattern match before the first build;
// "all:" takes it in, and chunks whose name begins with an underscore.
//
//go:embed all:dist
var dist embed.FS

// Dist returns Vite's output. It has no index.html if the page was never built.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // only for an invalid name
	}
	return sub
}
