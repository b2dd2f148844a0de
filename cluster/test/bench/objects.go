package main

import (
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Nodes and pods are about as large as those of a real cluster are: what the
// provider keeps of them and what it must decode is part of what is measured.

// imagesPerNode is what a kubelet reports at most.
const imagesPerNode = 50

func newNode(n node, address string) *corev1.Node {
	resources := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("4"), corev1.ResourceMemory: resource.MustParse("16Gi"), corev1.ResourcePods: resource.MustParse("110"),
	}
	out := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: n.name,
			Labels: map[string]string{
				corev1.LabelHostname: n.name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64",
				corev1.LabelInstanceTypeStable: "m6i.xlarge", corev1.LabelTopologyZone: n.zone,
				corev1.LabelTopologyRegion: n.zone[:len(n.zone)-1], "eks.amazonaws.com/nodegroup": "edge",
				"eks.amazonaws.com/capacityType": "ON_DEMAND", "k8s.io/cloud-provider-aws": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
			},
			Annotations: map[string]string{
				"csi.volume.kubernetes.io/nodeid":                        fmt.Sprintf(`{"ebs.csi.aws.com":%q}`, n.instance),
				"node.alpha.kubernetes.io/ttl":                           "0",
				"volumes.kubernetes.io/controller-managed-attach-detach": "true",
			},
		},
		Spec: corev1.NodeSpec{ProviderID: "aws:///" + n.zone + "/" + n.instance},
		Status: corev1.NodeStatus{
			Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address}, {Type: corev1.NodeHostName, Address: n.name}},
			Capacity:  resources, Allocatable: resources,
			NodeInfo: corev1.NodeSystemInfo{KernelVersion: "6.12.40-63.114.amzn2023.x86_64", OSImage: "Amazon Linux 2023", ContainerRuntimeVersion: "containerd://2.1.4", KubeletVersion: "v1.34.1"},
		},
	}
	for _, t := range []corev1.NodeConditionType{corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure} {
		out.Status.Conditions = append(out.Status.Conditions, corev1.NodeCondition{Type: t, Status: corev1.ConditionFalse, Reason: "KubeletHasNone", Message: "kubelet has no such pressure"})
	}
	out.Status.Conditions = append(out.Status.Conditions, corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status"})
	for i := range imagesPerNode {
		name := fmt.Sprintf("registry.example.org/platform/component-%d", i)
		out.Status.Images = append(out.Status.Images, corev1.ContainerImage{
			Names:     []string{name + "@sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9", name + ":v1.2.3"},
			SizeBytes: int64(i) << 20,
		})
	}
	return out
}

func newPod(ns string, p pod) *corev1.Pod {
	out := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: ns, Name: p.name,
			Labels:      map[string]string{"app": p.app, "app.kubernetes.io/name": p.app, "pod-template-hash": "6b8f7c9d5"},
			Annotations: map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "9090", "checksum/config": "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6071"},
		},
		Spec: corev1.PodSpec{
			NodeName: p.node.name, HostNetwork: p.port != 0,
			Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
			Containers:  []corev1.Container{container("proxy", p.port), container("exporter", 0)},
			Volumes: []corev1.Volume{
				{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "config"}}}},
				{Name: "cache", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			},
		},
	}
	if p.gate != "" {
		out.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: corev1.PodConditionType(p.gate)}}
	}
	return out
}

func container(name string, port int32) corev1.Container {
	c := corev1.Container{
		Name: name, Image: "registry.example.org/platform/" + name + ":v1.2.3",
		VolumeMounts: []corev1.VolumeMount{{Name: "config", MountPath: "/etc/" + name}, {Name: "cache", MountPath: "/var/cache/" + name}},
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi")},
		},
	}
	for i := range 12 {
		c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("SETTING_%d", i), Value: "a value as long as most of them are"})
	}
	if port != 0 {
		c.Ports = []corev1.ContainerPort{{Name: "https", ContainerPort: port}}
	}
	return c
}

// readyStatus is what a kubelet reports of a pod that is ready but for gates.
func readyStatus(p pod) []byte {
	now := metav1.NewTime(time.Now())
	status := corev1.PodStatus{Phase: corev1.PodRunning, StartTime: &now}
	for _, t := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		c := corev1.PodCondition{Type: t, Status: corev1.ConditionTrue, LastTransitionTime: now}
		if t == corev1.PodReady && p.gate != "" {
			c.Status, c.Reason = corev1.ConditionFalse, "ReadinessGatesNotReady"
		}
		status.Conditions = append(status.Conditions, c)
	}
	for _, name := range []string{"proxy", "exporter"} {
		status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{
			Name: name, Ready: true, Image: "registry.example.org/platform/" + name + ":v1.2.3",
			ContainerID: "containerd://0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9",
			State:       corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		})
	}
	out, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		panic(err) // a status of our own
	}
	return out
}
