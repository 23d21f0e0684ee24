// The peer of the benchmarks: the sidecar that Kubernetes has for changed blocks, as it is.
package main

import (
	"os"

	"github.com/kubernetes-csi/external-snapshot-metadata/pkg/sidecar"
)

func main() {
	os.Exit(sidecar.Run(os.Args, "v1.1.0"))
}
