package main

import (
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	changelogs "github.com/crossplane/crossplane-runtime/v2/apis/changelogs/proto/v1alpha1"
	xpcontroller "github.com/crossplane/crossplane-runtime/v2/pkg/controller"
	"github.com/crossplane/crossplane-runtime/v2/pkg/feature"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"

	"github.com/provider-nlb/provider-nlb/internal/controller"
)

// changeLogTimeout is how long a change waits for the sidecar. It has been made by
// then, and must not be held up for long when nobody listens.
const changeLogTimeout = 2 * time.Second

// enableChangeLogs lets the runtime tell of each change to the sidecar that listens
// on a socket: Crossplane's alpha feature of that name. The connection is made when
// there is something to tell, again and again if need be.
func enableChangeLogs(o *controller.Options, socket string) error {
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("--changelogs-socket-path: %w", err)
	}

	o.Features.Enable(feature.EnableAlphaChangeLogs)
	o.ChangeLogOptions = &xpcontroller.ChangeLogOptions{ChangeLogger: managed.NewGRPCChangeLogger(
		changelogs.NewChangeLogServiceClient(conn),
		managed.WithProviderVersion("provider-nlb:"+version), managed.WithSendTimeout(changeLogTimeout),
	)}

	return nil
}
