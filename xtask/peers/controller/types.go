package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
)

var (
	groupVersion = schema.GroupVersion{Group: "fleet.cattle.io", Version: "v1alpha1"}
	resource     = groupVersion.WithResource("bundledeployments")
)

// BundleDeployment has as much of Fleet's type as the tests look at.
type BundleDeployment struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              BundleDeploymentSpec   `json:"spec"`
	Status            BundleDeploymentStatus `json:"status"`
}

// BundleDeploymentSpec is what should be deployed.
type BundleDeploymentSpec struct {
	DeploymentID string `json:"deploymentID,omitempty"`
	Paused       bool   `json:"paused,omitempty"`
}

// BundleDeploymentStatus is what is.
type BundleDeploymentStatus struct {
	Ready bool `json:"ready,omitempty"`
}

// BundleDeploymentList is a list of them.
type BundleDeploymentList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []BundleDeployment `json:"items"`
}

// DeepCopyObject makes it an object of the scheme.
func (b *BundleDeployment) DeepCopyObject() runtime.Object {
	copied := *b
	b.ObjectMeta.DeepCopyInto(&copied.ObjectMeta)
	return &copied
}

// DeepCopyObject makes it an object of the scheme.
func (l *BundleDeploymentList) DeepCopyObject() runtime.Object {
	copied := *l
	l.ListMeta.DeepCopyInto(&copied.ListMeta)
	copied.Items = make([]BundleDeployment, len(l.Items))
	for i := range l.Items {
		copied.Items[i] = *l.Items[i].DeepCopyObject().(*BundleDeployment)
	}
	return &copied
}

// typed is a client of the scheme that knows them.
func typed(config *rest.Config) (*rest.RESTClient, error) {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(groupVersion, &BundleDeployment{}, &BundleDeploymentList{})
	metav1.AddToGroupVersion(scheme, groupVersion)
	config = rest.CopyConfig(config)
	config.GroupVersion, config.APIPath = &groupVersion, "/apis"
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	return rest.RESTClientFor(config)
}
