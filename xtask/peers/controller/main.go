// The Go controller of the tests: Kubernetes' own client library, as controllers use it.
//
// `watch` runs three informers over one collection until it is ended; `calls` makes the calls of a
// controller once. What happens is a line of JSON each: the test decides whether it should have.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"sync"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// line is one thing that happened.
type line struct {
	// Who saw it: an informer, or a call.
	Who string `json:"who"`
	// synced, add, update, same, delete, error, request, result
	What string `json:"what"`
	// The object and its revision.
	Name     string `json:"name,omitempty"`
	Revision string `json:"revision,omitempty"`
	// Whether an add was part of the initial state.
	Initial bool `json:"initial,omitempty"`
	// Of requests.
	Method      string `json:"method,omitempty"`
	URL         string `json:"url,omitempty"`
	Status      int    `json:"status,omitempty"`
	ContentType string `json:"contentType,omitempty"`
	// Of errors and results.
	Reason string `json:"reason,omitempty"`
	Value  any    `json:"value,omitempty"`
}

var out sync.Mutex

func say(l line) {
	out.Lock()
	defer out.Unlock()
	if err := json.NewEncoder(os.Stdout).Encode(l); err != nil {
		panic(err)
	}
}

// observed is the config of a client whose requests are told.
func observed(config *rest.Config, who string) *rest.Config {
	config = rest.CopyConfig(config)
	config.UserAgent = who + "-controller/1"
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return observer{who, next} })
	return config
}

type observer struct {
	who  string
	next http.RoundTripper
}

func (o observer) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := o.next.RoundTrip(request)
	l := line{Who: o.who, What: "request", Method: request.Method, URL: request.URL.RequestURI()}
	if err == nil {
		l.Status, l.ContentType = response.StatusCode, response.Header.Get("Content-Type")
	}
	say(l)
	return response, err
}

func run() error {
	kubeconfig := flag.String("kubeconfig", "", "the cluster, and who asks")
	namespace := flag.String("namespace", "default", "where the objects are")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 1000, 1000
	switch flag.Arg(0) {
	case "watch":
		return watch(context.Background(), config, *namespace)
	case "calls":
		return calls(context.Background(), config, *namespace)
	default:
		return fmt.Errorf("say what to do: watch or calls, not %q", flag.Arg(0))
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
