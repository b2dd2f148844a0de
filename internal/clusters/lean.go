package clusters

import (
	"bytes"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Of a pod or node nearly all is decoded only to be trimmed away: environments, volumes,
// images, who has set which field. With thousands of them at a start that is most of the
// garbage, between which lies what is kept. So it is left out of the message before it
// is decoded.

// wanted are the fields of a message that are decoded, by number. Of one that has
// wanted fields itself only these are; one with nil, wholly. The numbers are those of
// k8s.io/api's generated.proto, which never change.
type wanted map[protowire.Number]wanted

var (
	wantedContainer = wanted{6: nil, 12: nil, 24: nil} // ports, lifecycle, restartPolicy
	wantedPod       = wanted{
		1: {
			1: nil, 3: nil, 5: nil, 6: nil, // name, namespace, uid, resourceVersion
			9: nil, 11: nil, 12: nil, 13: nil, // deletionTimestamp, labels, annotations, ownerReferences
		},
		2: {
			2: wantedContainer, 20: wantedContainer, // containers, initContainers
			4: nil, 10: nil, 11: nil, 28: nil, // terminationGracePeriodSeconds, nodeName, hostNetwork, readinessGates
		},
		3: {1: nil, 2: nil, 5: nil, 6: nil}, // phase, conditions, hostIP, podIP
	}
	wantedNode = wanted{
		// name, resourceVersion, deletionTimestamp, labels, annotations: a bookmark that ends a list has one
		1: {1: nil, 6: nil, 9: nil, 11: nil, 12: nil},
		2: {3: nil, 5: nil}, // providerID, taints
		3: {4: nil, 5: nil}, // conditions, addresses
	}
	// wantedOf is by kind, of API version v1.
	wantedOf = map[string]wanted{
		"Pod": wantedPod, "PodList": {1: nil, 2: wantedPod},
		"Node": wantedNode, "NodeList": {1: nil, 2: wantedNode},
	}
)

// A leanSerializer makes decoders that leave out what is not wanted.
type leanSerializer struct{ runtime.NegotiatedSerializer }

func (s leanSerializer) DecoderToVersion(d runtime.Decoder, gv runtime.GroupVersioner) runtime.Decoder {
	return leanDecoder{s.NegotiatedSerializer.DecoderToVersion(d, gv)}
}

type leanDecoder struct{ runtime.Decoder }

// scratch holds messages while they are decoded, which copies all that it keeps.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// mostScratch is what of scratch is kept: an event has some thousand bytes, a whole list
// many millions.
const mostScratch = 64 << 10

// Decode decodes what is wanted of protobuf, and all of what it does not know.
func (d leanDecoder) Decode(data []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	buffer, _ := scratch.Get().(*[]byte)
	lean, ok := leave((*buffer)[:0], data)
	if !ok {
		lean = data
	} else if *buffer = lean; cap(lean) <= mostScratch {
		defer scratch.Put(buffer)
	}
	return d.Decoder.Decode(lean, defaults, into)
}

// magic is what an object in protobuf begins with. A runtime.Unknown follows, which
// has the kind in its field 1 and the object itself in field 2.
var magic = []byte("k8s\x00")

// leave appends an object without what is not wanted. It is false for what it does not
// know: another format or kind.
func leave(to, data []byte) (_ []byte, ok bool) {
	body, ok := bytes.CutPrefix(data, magic)
	if !ok {
		return nil, false
	}
	fields, known := wantedOf[kindOf(body)]
	if !known {
		return nil, false
	}
	return appendWanted(append(to, magic...), body, wanted{1: nil, 2: fields, 3: nil, 4: nil})
}

// kindOf returns the kind that an Unknown of API version v1 holds; empty for any other.
func kindOf(unknown []byte) string {
	types := bytesOf(unknown, 1)
	if string(bytesOf(types, 1)) != "v1" {
		return ""
	}
	return string(bytesOf(types, 2))
}

// bytesOf returns a field of a message: text, or another message. It is nil if there is
// none.
func bytesOf(message []byte, field protowire.Number) []byte {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return nil
		}
		value := message[n:]
		if n = protowire.ConsumeFieldValue(number, kind, value); n < 0 {
			return nil
		}
		if number == field && kind == protowire.BytesType {
			text, _ := protowire.ConsumeBytes(value)
			return text
		}
		message = value[n:]
	}
	return nil
}

// appendWanted appends the wanted fields of a message. It is false if it is none.
func appendWanted(to, message []byte, fields wanted) (_ []byte, ok bool) {
	for len(message) > 0 {
		number, kind, tag := protowire.ConsumeTag(message)
		if tag < 0 {
			return nil, false
		}
		length := protowire.ConsumeFieldValue(number, kind, message[tag:])
		if length < 0 {
			return nil, false
		}
		field := message[:tag+length]
		message = message[len(field):]
		inner, want := fields[number]
		switch {
		case !want:
		case inner == nil:
			to = append(to, field...)
		case kind != protowire.BytesType:
			return nil, false
		default:
			if to, ok = appendMessage(to, field, tag, inner); !ok {
				return nil, false
			}
		}
	}
	return to, true
}

// appendMessage appends a field that is a message. What is left of it is known only
// when it is there, so its length has as many bytes as it had, if need be with leading
// zeros.
func appendMessage(to, field []byte, tag int, fields wanted) (_ []byte, ok bool) {
	content, n := protowire.ConsumeBytes(field[tag:])
	if n < 0 {
		return nil, false
	}
	width := n - len(content)
	to = append(to, field[:tag+width]...)
	at := len(to)
	if to, ok = appendWanted(to, content, fields); !ok {
		return nil, false
	}
	for i, rest := at-width, len(to)-at; i < at; i, rest = i+1, rest>>7 {
		to[i] = byte(rest&0x7f) | 0x80
	}
	to[at-1] &= 0x7f
	return to, true
}
