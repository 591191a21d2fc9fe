// Command flooder is what the benchmark's clients talk to: a server that does
// the least that MQTT asks of one, over WebSocket, so that it is never what a
// measurement is limited by. It serves the benchmark's page too, because a
// worker's script must come from the page's own origin:
//
//	/flood    MQTT 5 and 3.1.1; the query is a [plan]
//	/stats    what a connection has sent, see [serveStats]
//	/publish  publishes to a broker over TCP, see [servePublish]
//	/bench/   the page
//	/peers/   the other clients
//	/         everything else is passed on to our server
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "`address` to listen on")
	app := flag.String("app", "", "`URL` of our server")
	page := flag.String("page", "", "`folder` of the benchmark's page")
	peers := flag.String("peers", "", "`folder` of the other clients")
	flag.Parse()

	target, err := url.Parse(*app)
	if err != nil {
		log.Fatal(err)
	}
	all := newRegister()
	mux := http.NewServeMux()
	mux.HandleFunc("/flood", func(w http.ResponseWriter, r *http.Request) { serveFlood(w, r, all) })
	mux.HandleFunc("/stats", func(w http.ResponseWriter, r *http.Request) { serveStats(w, r, all) })
	mux.HandleFunc("/publish", servePublish)
	mux.Handle("/bench/", cached(http.StripPrefix("/bench/", http.FileServer(http.Dir(*page)))))
	mux.Handle("/peers/", cached(http.StripPrefix("/peers/", http.FileServer(http.Dir(*peers)))))
	mux.Handle("/", &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})

	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, mux))
}

// cached lets the browser keep the peers' files as it keeps ours, whose names
// tell their content: otherwise only they would ask again at each load.
func cached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=3600")
		next.ServeHTTP(w, r)
	})
}
