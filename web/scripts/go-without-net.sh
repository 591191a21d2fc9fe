#!/usr/bin/env bash
# go-without-net.sh COMMAND ARGUMENT...: the go command, for the wasm as it ships.
#
# The WebSocket library's browser side names three types of net/http and calls
# none of its functions, but the import alone links HTTP, TLS and X.509, a
# quarter of the wasm. Of net, which has no network in a browser, two interfaces,
# one error and one type of paho's are used; what else it has is initialized before
# the program begins. An overlay makes both packages what is used and nothing else:
# code that needs more fails to compile here.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/http.go" <<'END_OF_FILE'
package http

const StatusSwitchingProtocols = 101

type (
	Request        struct{}
	Response       struct{ StatusCode int }
	ResponseWriter interface{}
)
END_OF_FILE

cat >"$work/net.go" <<'END_OF_FILE'
package net

import (
	"errors"
	"io"
	"time"
)

var ErrClosed = errors.New("use of closed network connection")

type Addr interface {
	Network() string
	String() string
}

type Conn interface {
	io.ReadWriteCloser
	LocalAddr() Addr
	RemoteAddr() Addr
	SetDeadline(t time.Time) error
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
}

type Buffers [][]byte

func (v *Buffers) WriteTo(w io.Writer) (n int64, err error) {
	for len(*v) > 0 {
		written, err := w.Write((*v)[0])
		n += int64(written)
		if err != nil {
			(*v)[0] = (*v)[0][written:]
			return n, err
		}
		*v = (*v)[1:]
	}
	return n, nil
}
END_OF_FILE

# Go refuses overlays of files below the module cache, where a toolchain lies
# that the go command downloaded for itself. Through a link it is elsewhere.
ln -s "$(go env GOROOT)" "$work/goroot"
export GOROOT="$work/goroot" GOTOOLCHAIN=local GOOS=js GOARCH=wasm

# Every file that this toolchain compiles into the two is removed, and one added.
{
	echo '{"Replace": {'
	"$GOROOT/bin/go" list -f '
{{- range .GoFiles}}
	{{printf "%q" (print $.Dir "/" .)}}: "",
{{- end}}
	{{printf "%q" (print .Dir "/used.go")}}: "'"$work"'/{{.Name}}.go"{{if eq .Name "net"}},{{end}}' net net/http
	echo '}}'
} >"$work/overlay.json"

"$GOROOT/bin/go" "$1" -overlay="$work/overlay.json" "${@:2}"
