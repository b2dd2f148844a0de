package targets

// WithDefaults fills in what the spec leaves open. Ownership is not among it: its
// default depends on the group.
func (p Policy) WithDefaults() Policy {
	if p.NotReadyAfter == 0 {
		p.NotReadyAfter = DefaultNotReadyAfter
	}
	if p.MaxUnavailable == 0 && !p.MaxUnavailablePercent {
		p.MaxUnavailable, p.MaxUnavailablePercent = DefaultMaxUnavailable, true
	}
	return p
}

// share is how many of a zone's healthy targets may be missing: never less than
// one, else nothing could ever leave; a percentage is rounded down.
func (p Policy) share(healthy int) int {
	if p.MaxUnavailablePercent {
		return max(1, healthy*p.MaxUnavailable/100)
	}
	return max(1, p.MaxUnavailable)
}
