package targetgroupbinding

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// claimSettles is for how long a tag that names a binding says nothing yet. AWS has no
// write that fails if somebody else has written: another cluster that saw no tag a moment
// before ours may write its own after it. It gives up within a reconcile (20 s), and a
// call that nobody hears of takes effect within 40 s. Whoever the tag names then is the
// only one to believe it.
const claimSettles = time.Minute

// claims are the tags that name bindings of ours, as far as this process has seen them.
type claims struct {
	mu   sync.Mutex
	seen map[types.UID]claim
}

type claim struct {
	since   time.Time
	settled bool
}

func newClaims() *claims { return &claims{seen: map[types.UID]claim{}} }

// written: the tag was written now, and after claimSettles it is time to read it again.
func (c *claims) written(uid types.UID, then func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[uid] = claim{since: time.Now()}
	time.AfterFunc(claimSettles, then)
}

// read: AWS says that the tag is there. The first time this may be one that an earlier
// process has written a moment ago.
func (c *claims) read(uid types.UID, then func()) {
	c.mu.Lock()
	seen, ok := c.seen[uid]
	if ok && time.Since(seen.since) >= claimSettles {
		seen.settled = true
		c.seen[uid] = seen
	}
	c.mu.Unlock()
	if !ok {
		c.written(uid, then)
	}
}

// settled says that the tag has named the binding for long enough.
func (c *claims) settled(uid types.UID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[uid].settled
}

// due says that AWS should be asked for the tag.
func (c *claims) due(uid types.UID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.seen[uid]
	return !seen.settled && time.Since(seen.since) >= claimSettles
}

func (c *claims) forget(uid types.UID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.seen, uid)
}
