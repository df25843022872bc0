"""Permission for one authority to sign a wildcard, and the token that answers its challenge."""

import pulumi
import pulumi_cloudflare

from components import WildcardCert, WildcardCertArgs
from lab.plan.records import CertificatePlan

token = pulumi.Config().require_secret("cloudflare-token")
api = pulumi_cloudflare.Provider("cloudflare", api_token=token)
certificate = CertificatePlan(names=("*.home.example.org",), email="me@example.org", zone="example.org")
args = WildcardCertArgs(certificate=certificate, dns_token=token)
made = WildcardCert("certificate", args, pulumi.ResourceOptions(providers=[api]))
pulumi.export("names", made.names)
