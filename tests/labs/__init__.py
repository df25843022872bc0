"""The five public labs that the model is settled on, each as a lab file with its sentences as tests."""
