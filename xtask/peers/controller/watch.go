package main

import (
	"context"

	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// informers of the three kinds that Go controllers have.
func informers(config *rest.Config, namespace string) (map[string]cache.SharedIndexInformer, error) {
	typedClient, err := typed(observed(config, "typed"))
	if err != nil {
		return nil, err
	}
	list := cache.NewListWatchFromClient(typedClient, resource.Resource, namespace, fields.Everything())
	dynamicClient, err := dynamic.NewForConfig(observed(config, "dynamic"))
	if err != nil {
		return nil, err
	}
	metadataClient, err := metadata.NewForConfig(observed(config, "metadata"))
	if err != nil {
		return nil, err
	}
	return map[string]cache.SharedIndexInformer{
		"typed": cache.NewSharedIndexInformer(list, &BundleDeployment{}, 0, cache.Indexers{}),
		"dynamic": dynamicinformer.NewFilteredDynamicInformer(
			dynamicClient, resource, namespace, 0, cache.Indexers{}, nil).Informer(),
		"metadata": metadatainformer.NewFilteredMetadataInformer(
			metadataClient, resource, namespace, 0, cache.Indexers{}, nil).Informer(),
	}, nil
}

func watch(ctx context.Context, config *rest.Config, namespace string) error {
	all, err := informers(config, namespace)
	if err != nil {
		return err
	}
	for who, informer := range all {
		if err := informer.SetWatchErrorHandlerWithContext(complain(who)); err != nil {
			return err
		}
		if _, err := informer.AddEventHandler(handler(who)); err != nil {
			return err
		}
		go informer.RunWithContext(ctx)
		go func() {
			if cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
				say(line{Who: who, What: "synced", Value: informer.GetStore().ListKeys()})
			}
		}()
	}
	<-ctx.Done()
	return nil
}

func complain(who string) cache.WatchErrorHandlerWithContext {
	return func(ctx context.Context, reflector *cache.Reflector, err error) {
		say(line{Who: who, What: "error", Reason: string(errors.ReasonForError(err)), Value: err.Error()})
		cache.DefaultWatchErrorHandler(ctx, reflector, err)
	}
}

func handler(who string) cache.ResourceEventHandlerDetailedFuncs {
	event := func(what string, object any, initial bool) {
		if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = gone.Obj
		}
		accessor := must(meta.Accessor(object))
		say(line{Who: who, What: what, Name: accessor.GetName(), Revision: accessor.GetResourceVersion(), Initial: initial})
	}
	return cache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(object any, initial bool) { event("add", object, initial) },
		UpdateFunc: func(old, object any) {
			// After a relist an informer tells of objects that did not change, too.
			if must(meta.Accessor(old)).GetResourceVersion() == must(meta.Accessor(object)).GetResourceVersion() {
				event("same", object, false)
			} else {
				event("update", object, false)
			}
		},
		DeleteFunc: func(object any) { event("delete", object, false) },
	}
}

func must(object metav1.Object, err error) metav1.Object {
	if err != nil {
		panic(err)
	}
	return object
}
