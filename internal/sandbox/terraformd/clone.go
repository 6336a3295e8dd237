package terraformd

import (
	"context"
	"errors"
)

func (s *Server) clone(ctx context.Context, conn connection, r repo) (string, error) {
	return "", errors.New("no gitssh yet")
}
