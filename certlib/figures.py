"""Figures of the service: counts, ratings, and reports that paper was still demanded; no small cells."""
