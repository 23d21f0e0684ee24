// The backup software of the tests: Kubernetes' own client library for changed blocks, as it is, and a line for each range.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/kubernetes-csi/external-snapshot-metadata/pkg/iterator"
	"k8s.io/client-go/tools/clientcmd"
)

// printer prints ranges as they come, and the number of messages at the end.
type printer struct{}

func (printer) SnapshotMetadataIteratorRecord(_ int, metadata iterator.IteratorMetadata) error {
	for _, block := range metadata.BlockMetadata {
		fmt.Println(block.ByteOffset, block.SizeBytes)
	}
	return nil
}

func (printer) SnapshotMetadataIteratorDone(messages int) error {
	fmt.Println("done", messages)
	return nil
}

func run() error {
	kubeconfig := flag.String("kubeconfig", "", "the cluster, and who asks")
	args := iterator.Args{Emitter: printer{}}
	flag.StringVar(&args.Namespace, "namespace", "", "of the VolumeSnapshots, and of the service account")
	flag.StringVar(&args.SnapshotName, "snapshot", "", "the VolumeSnapshot")
	flag.StringVar(&args.PrevSnapshotName, "previous", "", "the earlier VolumeSnapshot; all allocated blocks without it")
	flag.StringVar(&args.CSIDriver, "driver", "", "the snapshot's; looked up without it")
	flag.StringVar(&args.SAName, "account", "", "the service account whose token is shown")
	flag.Int64Var(&args.StartingOffset, "start", 0, "in bytes")
	limit := flag.Int("max-results", 0, "ranges in a message")
	flag.Parse()
	args.SANamespace, args.MaxResults = args.Namespace, int32(*limit)

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	if args.Clients, err = iterator.BuildClients(config); err != nil {
		return err
	}
	return iterator.GetSnapshotMetadata(context.Background(), args)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
