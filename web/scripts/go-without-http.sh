#!/usr/bin/env bash
# go-without-http.sh COMMAND ARGUMENT...: the go command, for the wasm as it ships.
#
# The WebSocket library's browser side names three types of net/http and calls
# none of its functions, but the import alone links HTTP, TLS and X.509, a
# quarter of the wasm. An overlay makes net/http those types and nothing else:
# code that needs more of it fails to compile here.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/types.go" <<'END'
package http

const StatusSwitchingProtocols = 101

type (
	Request        struct{}
	Response       struct{ StatusCode int }
	ResponseWriter interface{}
)
END

# Go refuses overlays of files below the module cache, where a toolchain lies
# that the go command downloaded for itself. Through a link it is elsewhere.
ln -s "$(go env GOROOT)" "$work/goroot"
export GOROOT="$work/goroot" GOTOOLCHAIN=local GOOS=js GOARCH=wasm

# Every file that this toolchain compiles into net/http is removed, and one added.
"$GOROOT/bin/go" list -f '{"Replace": {
{{- range .GoFiles}}
	{{printf "%q" (print $.Dir "/" .)}}: "",
{{- end}}
	{{printf "%q" (print .Dir "/types.go")}}: "'"$work"'/types.go"
}}' net/http >"$work/overlay.json"

"$GOROOT/bin/go" "$1" -overlay="$work/overlay.json" "${@:2}"
