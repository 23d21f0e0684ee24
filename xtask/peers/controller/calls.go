package main

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/pager"
	"k8s.io/client-go/util/retry"
)

const pages = 25

// calls makes the calls of a controller, and tells what came of each.
func calls(ctx context.Context, config *rest.Config, namespace string) error {
	for _, call := range []struct {
		name string
		make func(context.Context, *rest.Config, string) (any, error)
	}{
		{"typed", callTyped},
		{"pages", callPages},
		{"apply", callApply},
		{"metadata", callMetadata},
		{"discovery", callDiscovery},
		{"crowd", callInACrowd},
	} {
		value, err := call.make(ctx, observed(config, call.name), namespace)
		if err != nil {
			return fmt.Errorf("%s: %w", call.name, err)
		}
		say(line{Who: call.name, What: "result", Value: value})
	}
	return nil
}

// callTyped creates, updates against a conflict, and writes the status.
func callTyped(ctx context.Context, config *rest.Config, namespace string) (any, error) {
	client, err := typed(config)
	if err != nil {
		return nil, err
	}
	object := &BundleDeployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: groupVersion.String(), Kind: "BundleDeployment"},
		ObjectMeta: metav1.ObjectMeta{Name: "typed"},
		Spec:       BundleDeploymentSpec{DeploymentID: "s-1:a"},
	}
	created := &BundleDeployment{}
	post := client.Post().Namespace(namespace).Resource(resource.Resource).Body(object)
	if err := post.Do(ctx).Into(created); err != nil {
		return nil, err
	}
	put := func(object *BundleDeployment, subresource ...string) (*BundleDeployment, error) {
		put := client.Put().Namespace(namespace).Resource(resource.Resource).Name(object.Name)
		updated := &BundleDeployment{}
		return updated, put.SubResource(subresource...).Body(object).Do(ctx).Into(updated)
	}
	first := created.DeepCopyObject().(*BundleDeployment)
	first.Spec.DeploymentID = "s-2:b"
	if _, err := put(first); err != nil {
		return nil, err
	}
	attempts, stale := 0, created
	var last *BundleDeployment
	err = retry.RetryOnConflict(retry.DefaultRetry, func() (err error) {
		attempts++
		stale.Spec.Paused = true
		if last, err = put(stale); errors.IsConflict(err) {
			fresh := &BundleDeployment{}
			get := client.Get().Namespace(namespace).Resource(resource.Resource).Name("typed")
			if err := get.Do(ctx).Into(fresh); err != nil {
				return err
			}
			stale = fresh
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	last.Status.Ready = true
	status, err := put(last, "status")
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"attempts": attempts, "deploymentID": status.Spec.DeploymentID, "paused": status.Spec.Paused,
		"ready": status.Status.Ready, "generation": status.Generation,
	}, nil
}

// callPages lists in pages, by hand and by the pager.
func callPages(ctx context.Context, config *rest.Config, namespace string) (any, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	objects := client.Resource(resource).Namespace(namespace)
	for i := range pages {
		object := bundle(fmt.Sprintf("page-%02d", i), map[string]any{"deploymentID": "s-1:a"})
		object.SetLabels(map[string]string{"paged": "yes"})
		if _, err := objects.Create(ctx, object, metav1.CreateOptions{}); err != nil {
			return nil, err
		}
	}
	var sizes []int
	var remaining []int64
	revisions := map[string]bool{}
	options := metav1.ListOptions{Limit: 10}
	for {
		list, err := objects.List(ctx, options)
		if err != nil {
			return nil, err
		}
		sizes = append(sizes, len(list.Items))
		revisions[list.GetResourceVersion()] = true
		if count := list.GetRemainingItemCount(); count != nil {
			remaining = append(remaining, *count)
		}
		if options.Continue = list.GetContinue(); options.Continue == "" {
			break
		}
	}
	seen := 0
	through := pager.New(pager.SimplePageFunc(func(options metav1.ListOptions) (runtime.Object, error) {
		return objects.List(ctx, options)
	}))
	through.PageSize = 7
	selected := metav1.ListOptions{LabelSelector: "paged=yes"}
	err = through.EachListItem(ctx, selected, func(runtime.Object) error { seen++; return nil })
	return map[string]any{"sizes": sizes, "remaining": remaining, "revisions": len(revisions), "seen": seen}, err
}

// callApply applies on the server's side, against another manager, and to the status.
func callApply(ctx context.Context, config *rest.Config, namespace string) (any, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	objects := client.Resource(resource).Namespace(namespace)
	apply := func(manager, id string, force bool) (*unstructured.Unstructured, error) {
		object := bundle("applied", map[string]any{"deploymentID": id})
		return objects.Apply(ctx, "applied", object, metav1.ApplyOptions{FieldManager: manager, Force: force})
	}
	first, err := apply("one", "s-1:a", false)
	if err != nil {
		return nil, err
	}
	again, err := apply("one", "s-1:a", false)
	if err != nil {
		return nil, err
	}
	_, refused := apply("two", "s-2:b", false)
	var causes []string
	if status, ok := refused.(errors.APIStatus); ok && errors.IsConflict(refused) {
		for _, cause := range status.Status().Details.Causes {
			causes = append(causes, fmt.Sprintf("%s %s", cause.Type, cause.Field))
		}
	}
	forced, err := apply("two", "s-2:b", true)
	if err != nil {
		return nil, err
	}
	status := bundle("applied", nil)
	status.Object["status"] = map[string]any{"ready": true}
	ready, err := objects.ApplyStatus(ctx, "applied", status, metav1.ApplyOptions{FieldManager: "three"})
	if err != nil {
		return nil, err
	}
	var managers []string
	for _, entry := range ready.GetManagedFields() {
		managers = append(managers, fmt.Sprintf("%s %s %s", entry.Manager, entry.Operation, entry.Subresource))
	}
	slices.Sort(managers)
	id, _, _ := unstructured.NestedString(forced.Object, "spec", "deploymentID")
	return map[string]any{
		"unchanged": first.GetResourceVersion() == again.GetResourceVersion(), "causes": causes, "id": id, "managers": managers,
	}, nil
}

// callMetadata does what controllers do that know no kind.
func callMetadata(ctx context.Context, config *rest.Config, namespace string) (any, error) {
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	objects := client.Resource(resource).Namespace(namespace)
	patch := []byte(`{"metadata":{"finalizers":["example.com/held"]}}`)
	held, err := objects.Patch(ctx, "page-00", types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return nil, err
	}
	other := types.UID("00000000-0000-4000-8000-000000000000")
	wrong := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &other}}
	refused := objects.Delete(ctx, "page-00", wrong)
	if err := objects.Delete(ctx, "page-00", metav1.DeleteOptions{}); err != nil {
		return nil, err
	}
	deleting, err := objects.Get(ctx, "page-00", metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	patch = []byte(`{"metadata":{"finalizers":null}}`)
	if _, err := objects.Patch(ctx, "page-00", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return nil, err
	}
	_, gone := objects.Get(ctx, "page-00", metav1.GetOptions{})
	selected := metav1.ListOptions{LabelSelector: "paged=yes"}
	before, err := objects.List(ctx, selected)
	if err != nil {
		return nil, err
	}
	if err := objects.DeleteCollection(ctx, metav1.DeleteOptions{}, selected); err != nil {
		return nil, err
	}
	after, err := objects.List(ctx, selected)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"finalizers": held.Finalizers, "refused": errors.IsConflict(refused), "deleting": deleting.DeletionTimestamp != nil,
		"gone": errors.IsNotFound(gone), "before": len(before.Items), "after": len(after.Items),
	}, nil
}

// callDiscovery looks the kind up as a controller that is given names does.
func callDiscovery(_ context.Context, config *rest.Config, _ string) (any, error) {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	_, lists, err := client.ServerGroupsAndResources()
	if err != nil {
		return nil, err
	}
	var found []string
	for _, list := range lists {
		for _, resource := range list.APIResources {
			if list.GroupVersion == groupVersion.String() {
				found = append(found, resource.Name)
			}
		}
	}
	return found, nil
}

// callInACrowd asks a server that has room for one request at a time.
func callInACrowd(ctx context.Context, config *rest.Config, namespace string) (any, error) {
	client, err := typed(config)
	if err != nil {
		return nil, err
	}
	list := func() *rest.Request { return client.Get().Namespace(namespace).Resource(resource.Resource) }
	held := make(chan error, 1)
	go func() {
		// The server waits for this revision before it gives up.
		held <- list().MaxRetries(0).Param("resourceVersion", "9223372036854775807").Do(ctx).Error()
	}()
	var refused error
	for refused == nil {
		select {
		case err := <-held:
			return nil, fmt.Errorf("nobody was refused while a request was held: %w", err)
		default:
			refused = list().MaxRetries(0).Do(ctx).Error()
		}
	}
	after, hasDelay := errors.SuggestsClientDelay(refused)
	all := &BundleDeploymentList{}
	if err := list().Do(ctx).Into(all); err != nil {
		return nil, fmt.Errorf("it did not try again: %w", err)
	}
	return map[string]any{
		"refused": errors.IsTooManyRequests(refused), "delay": hasDelay && after > 0, "tooLarge": (<-held).Error(),
	}, nil
}

func bundle(name string, spec map[string]any) *unstructured.Unstructured {
	object := map[string]any{
		"apiVersion": groupVersion.String(), "kind": "BundleDeployment", "metadata": map[string]any{"name": name},
	}
	if spec != nil {
		object["spec"] = spec
	}
	return &unstructured.Unstructured{Object: object}
}
