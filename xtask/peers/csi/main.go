// Command csi-peer is a CSI driver with the SnapshotMetadata service, on the
// specification's own Go code: the other end that Outrigger's adapter for CSI
// drivers is tested against.
//
// A file VOLUME.SNAPSHOT in its folder is a snapshot, whose handle is the
// file's name. Blocks are found by comparing, and blocks of zeros are not
// allocated. As real drivers do, it cuts ranges where a message ends and where
// a list starts.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

var (
	socket = flag.String("socket", "", "the Unix socket to listen on")
	folder = flag.String("folder", "", "the folder of snapshots")
	secret = flag.String("secret", "", "what the secret named token must be")
	block  = flag.Int64("block", 4096, "bytes of a block")
	ranges = flag.Bool("ranges", false, "join blocks that touch")
)

type driver struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedSnapshotMetadataServer
}

func (driver) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: "peer.csi.example.com", VendorVersion: "v1"}, nil
}

func (driver) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{}, nil
}

func (driver) GetPluginCapabilities(context.Context, *csi.GetPluginCapabilitiesRequest) (*csi.GetPluginCapabilitiesResponse, error) {
	service := func(kind csi.PluginCapability_Service_Type) *csi.PluginCapability {
		return &csi.PluginCapability{Type: &csi.PluginCapability_Service_{Service: &csi.PluginCapability_Service{Type: kind}}}
	}
	return &csi.GetPluginCapabilitiesResponse{Capabilities: []*csi.PluginCapability{
		service(csi.PluginCapability_Service_CONTROLLER_SERVICE),
		service(csi.PluginCapability_Service_SNAPSHOT_METADATA_SERVICE),
	}}, nil
}

func (driver) GetMetadataAllocated(request *csi.GetMetadataAllocatedRequest, stream csi.SnapshotMetadata_GetMetadataAllocatedServer) error {
	target, capacity, err := open(request.SnapshotId, request.Secrets)
	if err != nil {
		return err
	}
	defer target.Close()
	list := list{capacity: capacity, start: request.StartingOffset, most: request.MaxResults}
	return list.run(zeros{}, target, func(found []*csi.BlockMetadata) error {
		return stream.Send(&csi.GetMetadataAllocatedResponse{
			BlockMetadataType: kind(), VolumeCapacityBytes: capacity, BlockMetadata: found,
		})
	})
}

func (driver) GetMetadataDelta(request *csi.GetMetadataDeltaRequest, stream csi.SnapshotMetadata_GetMetadataDeltaServer) error {
	target, capacity, err := open(request.TargetSnapshotId, request.Secrets)
	if err != nil {
		return err
	}
	defer target.Close()
	base, _, err := open(request.BaseSnapshotId, request.Secrets)
	if err != nil {
		return err
	}
	defer base.Close()
	if volume(request.BaseSnapshotId) != volume(request.TargetSnapshotId) {
		return status.Error(codes.InvalidArgument, "snapshots of different volumes")
	}
	list := list{capacity: capacity, start: request.StartingOffset, most: request.MaxResults}
	return list.run(base, target, func(found []*csi.BlockMetadata) error {
		return stream.Send(&csi.GetMetadataDeltaResponse{
			BlockMetadataType: kind(), VolumeCapacityBytes: capacity, BlockMetadata: found,
		})
	})
}

func open(id string, secrets map[string]string) (*os.File, int64, error) {
	if secrets["token"] != *secret {
		return nil, 0, status.Error(codes.PermissionDenied, "the secret is wrong")
	}
	if id == "" || id != filepath.Base(id) {
		return nil, 0, status.Error(codes.InvalidArgument, "not a snapshot's handle")
	}
	file, err := os.Open(filepath.Join(*folder, id))
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, status.Error(codes.NotFound, "no such snapshot")
	}
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	return file, info.Size(), nil
}

func volume(id string) string {
	name, _, _ := strings.Cut(id, ".")
	return name
}

func kind() csi.BlockMetadataType {
	if *ranges {
		return csi.BlockMetadataType_VARIABLE_LENGTH
	}
	return csi.BlockMetadataType_FIXED_LENGTH
}

// zeros is a snapshot of a volume that was never written to.
type zeros struct{}

func (zeros) ReadAt(into []byte, _ int64) (int, error) {
	clear(into)
	return len(into), nil
}

// list is what an answer is made from.
type list struct {
	capacity, start int64
	most            int32
}

// run sends what differs from the start on. Like real drivers, it trusts the
// start to be where a block begins.
func (l list) run(base, target io.ReaderAt, send func([]*csi.BlockMetadata) error) error {
	if l.start < 0 || l.start > l.capacity {
		return status.Error(codes.OutOfRange, "the start is not within the volume")
	}
	if l.most < 0 {
		return status.Error(codes.InvalidArgument, "max_results is negative")
	}
	if l.most == 0 {
		l.most = 256
	}
	before, after := make([]byte, *block), make([]byte, *block)
	var found []*csi.BlockMetadata
	for at := l.start; at < l.capacity; at += *block {
		length := min(*block, l.capacity-at)
		if _, err := base.ReadAt(before[:length], at); err != nil && err != io.EOF {
			return err
		}
		if _, err := target.ReadAt(after[:length], at); err != nil {
			return err
		}
		if bytes.Equal(before[:length], after[:length]) {
			continue
		}
		if last := len(found) - 1; *ranges && last >= 0 && found[last].ByteOffset+found[last].SizeBytes == at {
			found[last].SizeBytes += length
			continue
		}
		if int32(len(found)) == l.most {
			if err := send(found); err != nil {
				return err
			}
			found = nil
		}
		size := *block
		if *ranges {
			size = length
		}
		found = append(found, &csi.BlockMetadata{ByteOffset: at, SizeBytes: size})
	}
	if len(found) == 0 {
		return nil
	}
	return send(found)
}

func main() {
	flag.Parse()
	listener, err := net.Listen("unix", *socket)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	csi.RegisterIdentityServer(server, driver{})
	csi.RegisterSnapshotMetadataServer(server, driver{})
	log.Fatal(server.Serve(listener))
}
