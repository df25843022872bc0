module authelia.com/provider/oauth2

go 1.26.0
