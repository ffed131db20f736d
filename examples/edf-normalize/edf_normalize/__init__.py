"""Normalises polysomnography recordings: harmonised channel labels, header and scaling, written as EDF+."""
