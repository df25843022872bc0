"""The part of the internet that a lab's ingress speaks to, at public addresses inside the sandbox's router."""
