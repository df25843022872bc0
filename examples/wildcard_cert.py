"""Permission for one authority to sign a wildcard, and the token that answers its challenge."""

import pulumi
import pulumi_cloudflare

from components import WildcardCert, WildcardCertArgs
from lab.plan.records import CertificatePlan, DnsRecordPlan

token = pulumi.Config().require_secret("cloudflare-token")
api = pulumi_cloudflare.Provider("cloudflare", api_token=token)
base, zone = "home.example.org", "example.org"
caa = DnsRecordPlan(name=base, zone=zone, type="CAA", content="issuewild letsencrypt.org")
certificate = CertificatePlan(names=(f"*.{base}",), email="me@example.org", caa=(caa,))
args = WildcardCertArgs(certificate=certificate, dns_token=token)
made = WildcardCert("certificate", args, pulumi.ResourceOptions(providers=[api]))
pulumi.export("names", made.names)
