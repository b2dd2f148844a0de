package local

import (
	"bytes"
	"errors"
)

// kwok's own stage makes every pod Ready and sets all its readiness gates True.
// Kubernetes leaves gates to whoever declared them and computes Ready from them.
var (
	setsGates = []byte(`      {{ range .spec.readinessGates }}
      - lastTransitionTime: {{ $now | Quote }}
        status: "True"
        type: {{ .conditionType | Quote }}
      {{ end }}
`)
	setsReady = []byte(`        status: "True"
        type: Ready
`)
	readyWithoutGates = []byte(`        status: {{ if .spec.readinessGates }}"False"{{ else }}"True"{{ end }}
        type: Ready
`)
)

// gateStages let Ready follow from a pod's gates, as kubelet does.
const gateStages = `
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: pod-gates-open}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchExpressions:
      - {key: .metadata.deletionTimestamp, operator: DoesNotExist}
      - {key: '.spec.readinessGates.[]', operator: Exists}
      - {key: .status.phase, operator: In, values: [Running]}
      - {key: '.status.conditions.[] | select(.type == "ContainersReady") | .status', operator: In, values: ["True"]}
      - {key: '.status.conditions.[] | select(.type == "Ready") | .status', operator: NotIn, values: ["True"]}
      - {key: ` + gatesOpen + `, operator: In, values: ["true"]}
  next:
    statusTemplate: |
      conditions:
      - lastTransitionTime: {{ Now | Quote }}
        status: "True"
        type: Ready
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: pod-gates-shut}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchExpressions:
      - {key: .metadata.deletionTimestamp, operator: DoesNotExist}
      - {key: '.spec.readinessGates.[]', operator: Exists}
      - {key: '.status.conditions.[] | select(.type == "Ready") | .status', operator: In, values: ["True"]}
      - {key: ` + gatesOpen + `, operator: In, values: ["false"]}
  next:
    statusTemplate: |
      conditions:
      - lastTransitionTime: {{ Now | Quote }}
        reason: ReadinessGatesNotReady
        status: "False"
        type: Ready
`

// gatesOpen is true if each gate of a pod has a condition that is True.
const gatesOpen = `'[.status.conditions[]? | select(.status == "True") | .type] as $open | [.spec.readinessGates[].conditionType | IN($open[])] | all'`

// withGates changes kwok's stages so that they leave readiness gates alone.
func withGates(stages []byte) ([]byte, error) {
	if !bytes.Contains(stages, setsGates) || bytes.Count(stages, setsReady) != 1 {
		return nil, errors.New("kwok's stage pod-ready is not the one that is known: look at how it sets conditions")
	}
	stages = bytes.Replace(stages, setsGates, nil, 1)
	stages = bytes.Replace(stages, setsReady, readyWithoutGates, 1)
	return append(stages, gateStages...), nil
}
