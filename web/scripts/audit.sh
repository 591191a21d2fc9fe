#!/bin/sh
# Looks for known vulnerabilities in what the program is made of. Findings fail;
# a database that can't be reached is told, and fails nothing.
set -u
cd "$(dirname "$0")/../.."

status=0
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

check() { # check NAME UNREACHED COMMAND...: UNREACHED is what the command says without its database
	name=$1 unreached=$2
	shift 2
	if "$@" >"$answer" 2>&1; then
		echo "$name: no known vulnerabilities"
	elif grep -m 1 "$unreached" "$answer"; then
		echo "$name: database not reached, skipped"
	else
		cat "$answer"
		echo "$name: FAILED, see above"
		status=1
	fi
}

# Compiling it takes a while, for nothing where its database can't be reached.
if command -v curl >/dev/null && ! curl -fsL -m 20 -o "$answer" https://vuln.go.dev/index/db.json; then
	echo "govulncheck: database not reached, skipped"
elif ! web/scripts/install-go-tool.sh golang.org/x/vuln/cmd/govulncheck@v1.1.4; then
	status=1
elif [ -x bin/govulncheck ]; then
	check 'govulncheck ./server' 'fetching vulnerabilities' bin/govulncheck ./server
	check 'govulncheck ./wasm' 'fetching vulnerabilities' \
		env GOOS=js GOARCH=wasm bin/govulncheck -tags nethttpomithttp2 ./wasm
fi
check 'npm audit' 'audit endpoint returned an error' npm --prefix web audit --omit dev

exit $status
