"""Language models: messages in, completions with tokens and cost out, and the program in them."""

from reward_synth.llm.connect import connect
from reward_synth.llm.extraction import extract_program
from reward_synth.llm.interface import ChatMessage, Completion, LanguageModel

__all__ = ["ChatMessage", "Completion", "LanguageModel", "connect", "extract_program"]
