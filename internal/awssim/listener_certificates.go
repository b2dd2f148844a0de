package awssim

import (
	"regexp"
	"slices"
)

func certificateActions() map[string]action {
	params := func() map[string]shape {
		return map[string]shape{
			"ListenerArn": anyText(), "Certificates.member.N.CertificateArn": anyText(), "Certificates.member.N.IsDefault": trueOrFalse(),
		}
	}
	required := []string{"ListenerArn", "Certificates"}
	return map[string]action{
		"AddListenerCertificates":    {bucket: mutating, params: params(), required: required, run: addCertificates},
		"RemoveListenerCertificates": {bucket: mutating, params: params(), required: required, run: removeCertificates},
		"DescribeListenerCertificates": {
			bucket:   nonMutating,
			params:   map[string]shape{"ListenerArn": anyText(), "Marker": anyText(), "PageSize": number(1, 400)},
			required: []string{"ListenerArn"}, run: describeCertificates,
		},
	}
}

var certificateARN = regexp.MustCompile(`^arn:[a-z-]+:(?:acm:([a-z0-9-]+):(\d{12}):certificate/[0-9a-f-]{36}|iam::(\d{12}):server-certificate/\S+)$`)

// readCertificate reads Certificates: none, or one, which must not say whether it
// is the default one.
func (c *call) readCertificate() (string, error) {
	items := c.items("Certificates.member")
	switch {
	case len(items) == 0:
		return "", nil
	case len(items) > 1:
		return "", invalid("Only one certificate can be specified")
	case c.has(items[0] + "IsDefault"):
		return "", invalid("You cannot set the isDefault parameter for a certificate")
	}
	arn := c.str(items[0] + "CertificateArn")
	if !certificateARN.MatchString(arn) {
		return "", invalid("Certificate ARN '%s' is not valid", arn)
	}
	return arn, nil
}

// checkCertificate refuses a certificate that does not exist.
func (c *call) checkCertificate(arn string) error {
	if arn != "" && !c.world().certificates[arn] {
		return refuse("CertificateNotFound", "Certificate '%s' not found", arn)
	}
	return nil
}

// checkCertificates counts the certificates that the load balancer would have:
// the default ones too (assumed; the page on quotas does not exclude them).
func (c *call) checkCertificates(l *listener) error {
	n := len(l.certificates)
	if l.certificate != "" {
		n++
	}
	for _, other := range l.lb.listeners {
		if other.arn == l.arn {
			continue
		}
		if n += len(other.certificates); other.certificate != "" {
			n++
		}
	}
	if limit := c.sim.opts.Quotas.CertificatesPerLoadBalancer; n > limit {
		return refuse("TooManyCertificates", "The maximum number of certificates per load balancer is %d", limit)
	}
	return nil
}

// addCertificates: a certificate that is on the list already is not added again.
// The default one can be added too.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AddListenerCertificates.html
func addCertificates(c *call) (any, error) {
	l, arn, err := c.listenerCertificate()
	if err != nil {
		return nil, err
	}
	if err := c.checkCertificate(arn); err != nil {
		return nil, err
	}
	if slices.Contains(l.certificates, arn) {
		return certificateList(arn), nil
	}
	after := *l
	after.certificates = append(slices.Clone(l.certificates), arn)
	if err := c.checkCertificates(&after); err != nil {
		return nil, err
	}
	l.certificates = after.certificates
	return certificateList(arn), nil
}

// removeCertificates: a certificate that is not on the list is removed already;
// the default one can only be replaced, by ModifyListener.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RemoveListenerCertificates.html
func removeCertificates(c *call) (any, error) {
	l, arn, err := c.listenerCertificate()
	if err != nil {
		return nil, err
	}
	i := slices.Index(l.certificates, arn)
	switch {
	case i >= 0:
		l.certificates = slices.Delete(slices.Clone(l.certificates), i, i+1)
	case arn == l.certificate:
		return nil, refuse("OperationNotPermitted", "Default certificate '%s' cannot be removed", arn)
	}
	return empty{}, nil
}

func (c *call) listenerCertificate() (*listener, string, error) {
	l, err := c.listener()
	if err != nil {
		return nil, "", err
	}
	arn, err := c.readCertificate()
	if err == nil && l.protocol != "TLS" {
		err = invalid("Certificates are not supported for %s listeners", l.protocol)
	}
	return l, arn, err
}

type xmlCertificate struct {
	CertificateArn string
	IsDefault      string `xml:",omitempty"`
}

type xmlCertificates struct {
	Certificates members[xmlCertificate]
	NextMarker   string `xml:",omitempty"`
}

func certificateList(arn string) xmlCertificates {
	return xmlCertificates{Certificates: members[xmlCertificate]{[]xmlCertificate{{arn, "false"}}}}
}

// describeCertificates: a certificate that is both appears twice.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListenerCertificates.html
func describeCertificates(c *call) (any, error) {
	l, err := c.listener()
	if err != nil {
		return nil, err
	}
	var all []xmlCertificate
	if l.certificate != "" {
		all = append(all, xmlCertificate{l.certificate, "true"})
	}
	for _, arn := range unrepeated(l.certificates) {
		all = append(all, xmlCertificate{arn, "false"})
	}
	// "false" after "true": the default one comes first.
	name := func(x xmlCertificate) string {
		if x.IsDefault == "true" {
			return " "
		}
		return x.CertificateArn
	}
	page, next, err := pageOf(all, name, c.str("Marker"), c.num("PageSize", 400))
	if err != nil {
		return nil, err
	}
	return xmlCertificates{members[xmlCertificate]{page}, next}, nil
}
