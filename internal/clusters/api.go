package clusters

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// sources of the three streams. Tests have others than the API server.
type sources struct {
	pods, nodes, services cache.ListerWatcherWithContext
}

// newAPI returns a client of the core API that speaks protobuf and, since
// reflectors pace themselves, has no rate limit of its own.
func newAPI(from *rest.Config) (rest.Interface, error) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	metav1.AddToGroupVersion(scheme, corev1.SchemeGroupVersion)
	config := rest.CopyConfig(from)
	config.APIPath = "/api"
	config.GroupVersion = &corev1.SchemeGroupVersion
	config.NegotiatedSerializer = leanSerializer{serializer.NewCodecFactory(scheme).WithoutConversion()}
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	config.QPS = -1
	config.Timeout = 0 // it would end watches, too
	// Thousands of pods that are not compressed cost more CPU time to decrypt.
	config.DisableCompression = false
	api, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("cannot make a client of the Kubernetes API: %w", err)
	}
	return api, nil
}

func sourcesOf(api rest.Interface, hostPorts bool) sources {
	of := func(resource string, selector fields.Selector) cache.ListerWatcherWithContext {
		return cache.NewListWatchFromClient(api, resource, metav1.NamespaceAll, selector)
	}
	pods := fields.OneTermEqualSelector("spec.hostNetwork", "true")
	if hostPorts {
		pods = fields.Everything()
	}
	return sources{
		pods:     of("pods", pods),
		nodes:    of("nodes", fields.Everything()),
		services: of("services", fields.Everything()),
	}
}

// countLimit bounds the answer of CountMatching: it is for a sentence, not for a sum.
const countLimit = 10

// A Count of pods. The API server does not say how many remain of a list with a
// selector.
type Count struct {
	Pods int
	// More than Pods.
	More bool
}

// String is "3", or "more than 10".
func (c Count) String() string {
	if c.More {
		return fmt.Sprintf("more than %d", c.Pods)
	}
	return fmt.Sprint(c.Pods)
}

// CountMatching asks the API server how many pods match q and do not use
// hostNetwork: for "3 pods match, none uses hostNetwork". It transfers the metadata
// of at most 10 pods. Nothing matches while q's Service is missing.
func (c *Cluster) CountMatching(ctx context.Context, q Query) (Count, error) {
	c.mu.Lock()
	found := resolve(q, c.serviceOf(q))
	c.mu.Unlock()
	if found.selector == nil {
		return Count{}, nil
	}
	var list metav1.PartialObjectMetadataList
	err := c.api.Get().
		Namespace(q.Namespace).
		Resource("pods").
		VersionedParams(&metav1.ListOptions{
			LabelSelector: found.selector.String(),
			FieldSelector: fields.OneTermEqualSelector("spec.hostNetwork", "false").String(),
			Limit:         countLimit,
		}, metav1.ParameterCodec).
		SetHeader("Accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1").
		Do(ctx).
		Into(&list)
	if err != nil {
		return Count{}, fmt.Errorf("cannot count the pods that match in namespace %s: %w", q.Namespace, err)
	}
	return Count{Pods: len(list.Items), More: list.Continue != ""}, nil
}
