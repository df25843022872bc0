// Package oauth2 stands where Authelia's library for OpenID Connect would be. Its records of sessions mention these
// names, which access control never uses; nothing here does anything.
package oauth2

import (
	"context"
	"net/url"
	"time"
)

type (
	Arguments        []string
	ResponseModeType string

	Session interface{ GetSubject() string }
	Client  interface{ GetID() string }
	Storage interface {
		GetClient(ctx context.Context, id string) (Client, error)
	}

	Requester interface {
		GetID() string
		GetClient() Client
		GetSession() Session
		GetRequestForm() url.Values
		GetRequestedAt() time.Time
		GetRequestedScopes() Arguments
		GetGrantedScopes() Arguments
		GetRequestedAudience() Arguments
		GetGrantedAudience() Arguments
	}

	AuthorizeRequester interface {
		Requester
		GetResponseMode() ResponseModeType
		GetDefaultResponseMode() ResponseModeType
	}

	Request struct {
		ID                string
		RequestedAt       time.Time
		Client            Client
		Session           Session
		Form              url.Values
		RequestedScope    Arguments
		GrantedScope      Arguments
		RequestedAudience Arguments
		GrantedAudience   Arguments
	}

	AuthorizeRequest struct {
		Request
		AuthorizeRequester
		State                string
		RedirectURI          *url.URL
		ResponseTypes        Arguments
		HandledResponseTypes Arguments
		ResponseMode         ResponseModeType
		DefaultResponseMode  ResponseModeType
	}
)

func NewAuthorizeRequest() *AuthorizeRequest { panic("there is no OpenID Connect here") }

func RemoveEmpty([]string) Arguments { panic("there is no OpenID Connect here") }
