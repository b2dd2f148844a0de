package conformance

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/provider-nlb/provider-nlb/internal/awssim"
	"github.com/provider-nlb/provider-nlb/internal/kindtest"
)

// What is in AWS, and in Kubernetes, before a test begins.
const (
	subnet = "subnet-0000000000000000a"
	zone   = kindtest.Region + "a"
	// A pod listens on both ports.
	firstPort, secondPort = 8443, 9443
	// seeded begins the name of everything that was there before. It ends with the
	// world's: account and region are the same in every world, and what differs in no
	// part of its ARN is one thing to the provider.
	seeded = "seeded-"
)

func (w *world) seedNetwork() {
	w.Sim.SeedSubnet(awssim.Subnet{Region: kindtest.Region, ID: subnet, VPC: kindtest.VPC, Zone: zone, CIDR: "10.0.0.0/24"})
}

// seedLoadBalancer makes a load balancer, once.
func (w *world) seedLoadBalancer(t *testing.T) string {
	t.Helper()

	if w.loadBalancer == "" {
		arn, err := w.Sim.SeedLoadBalancer(awssim.LoadBalancerSeed{Region: kindtest.Region, Name: seeded + w.name, Subnets: []string{subnet}})
		kindtest.Must(t, err)

		w.loadBalancer = arn
	}

	return w.loadBalancer
}

// seedTargetGroups makes two target groups, once. A listener forwards to the first.
func (w *world) seedTargetGroups(t *testing.T) string {
	t.Helper()

	if w.targetGroup == "" {
		w.targetGroup, w.otherGroup = w.seedTargetGroup(t, seeded+w.name), w.seedTargetGroup(t, seeded+w.name+"-other")
	}

	return w.targetGroup
}

func (w *world) seedTargetGroup(t *testing.T, name string) string {
	t.Helper()

	arn, err := w.Sim.SeedTargetGroup(awssim.TargetGroupSeed{Region: kindtest.Region, Name: name, Protocol: "TCP", Port: 443, VPC: kindtest.VPC})
	kindtest.Must(t, err)

	return arn
}

// seedSecurityGroup makes a security group, once.
func (w *world) seedSecurityGroup(t *testing.T) string {
	t.Helper()

	if w.securityGroup == "" {
		w.securityGroup = w.makeSecurityGroup(t, seeded+w.name)
	}

	return w.securityGroup
}

func (w *world) makeSecurityGroup(t *testing.T, name string) string {
	t.Helper()

	out, err := w.EC2.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{
		GroupName: &name, Description: ptr("conformance"), VpcId: ptr(kindtest.VPC),
	})
	kindtest.Must(t, err)

	return *out.GroupId
}

// seedPod runs a hostNetwork pod on a node of its own, once. Its label app is the
// world's name.
func (w *world) seedPod(t *testing.T) {
	t.Helper()

	if w.instance != "" {
		return
	}

	n := worlds.Add(1)
	w.instance = fmt.Sprintf("i-%017x", n)
	w.Sim.SeedInstance(awssim.Instance{ID: w.instance, Region: kindtest.Region, Zone: zone, VPC: kindtest.VPC})

	if w.podNamespace = w.Namespace; w.podNamespace == "" {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "pods-"}}
		kindtest.Must(t, w.Client.Create(t.Context(), ns))
		w.podNamespace = ns.Name
	}

	address := fmt.Sprintf("10.1.%d.%d", n/250, n%250+1)
	w.Create(t, &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: w.name, Labels: map[string]string{
			corev1.LabelTopologyZone: zone, corev1.LabelTopologyRegion: kindtest.Region,
		}},
		Spec: corev1.NodeSpec{ProviderID: "aws:///" + zone + "/" + w.instance},
		Status: corev1.NodeStatus{
			Addresses:  []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address}},
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
		},
	})

	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.podNamespace, Name: w.name, Labels: map[string]string{"app": w.name}},
		Spec: corev1.PodSpec{
			NodeName: w.name, HostNetwork: true, TerminationGracePeriodSeconds: ptr(int64(0)),
			Containers: []corev1.Container{{Name: "proxy", Image: "registry.k8s.io/pause:3.10", Ports: []corev1.ContainerPort{
				{ContainerPort: firstPort}, {ContainerPort: secondPort},
			}}},
		},
	}
	w.Create(t, pod)

	pod.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, PodIP: address, HostIP: address,
		Conditions: []corev1.PodCondition{
			{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}, {Type: corev1.PodReady, Status: corev1.ConditionTrue},
		},
	}
	kindtest.Must(t, w.Client.Status().Update(t.Context(), pod))
}
