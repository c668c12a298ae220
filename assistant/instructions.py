"""Sentences that tell whoever writes the answer what to write.

In a document they are planted, or meant for somebody else's letters: they answer nothing, and support nothing.
"""

from __future__ import annotations

import re
from dataclasses import replace

from assistant.questions import stem, stems
from assistant.types import SHOWN, Statement
from corpus.sentences import split_sentences

_WRITE = (
    r"(?:add|advertise|alter|append|attach|begin|change|conclude|direct|embed|encourage|end|enhance|finish|include|insert"
    r"|integrate|invite|mention|modify|offer|output|place|point|prepend|print|promote|put|recommend|repeat|replace|reveal"
    r"|rewrite|say|share|show|start|state|suggest|tell|urge|use|weave|work|write)"
)
_REPLY = r"(?P<{0}>repl(?:y|ies)|responses?|answers?|outputs?|completions?|prompts?)"
_FIRST = r"^[^\w\n]{0,9}(?:\w+:\s)?(?:(?:please|also|and|then|now|always|you\s(?:must|should|will|are\sto)),?\s)*"
_MACHINE = r"(?P<{0}>A\.?I\.?|LLMs?|chat-?bots?|language\smodels?)"
_INSTRUCTIONS = tuple(
    re.compile(pattern, re.I | re.M)
    for pattern in (
        # "Add … to your reply." "Modify your answer to …" "End the response with …"
        rf"{_FIRST}{_WRITE}\b[\s\S]{{0,300}}\b(?:at|in|into|of|to|with)\syour\s(?:\w+\s)?{_REPLY.format('a')}\b",
        rf"{_FIRST}(?:{_WRITE}\syour|(?:begin|conclude|end|finish|modify|rewrite|start)\sthe)\s(?:\w+\s)?"
        rf"{_REPLY.format('b')}\b",
        # "In your response, suggest …"
        rf"{_FIRST}(?:in|at|to|with)\s(?:the\s(?:end|start|beginning)\sof\s)?(?:your|the|each|every)\s(?:\w+\s)?"
        rf"{_REPLY.format('c')},?\s(?:\w+\s)?{_WRITE}\b",
        # "Ignore all previous instructions …"
        r"\b(?:disregard|forget|ignore|override)\s(?:\w+\s){0,4}?(?:above|all|any|earlier|other|previous|prior"
        r"|your)\s(?:\w+\s){0,2}?(?P<d>commands?|instructions?|orders?|prompts?|questions?)\b",
        # "Instruction to the AI assistant: …"
        rf"\b(?P<g>instructions?|commands?|orders?|notes?)\s(?:to|for)\s(?:the\s|any\s|all\s)?{_MACHINE.format('h')}\b",
        # "You are now a chatbot." "AI: say …" "Language models must write …"
        rf"\byou\sare\s(?:now\s)?(?:an?|the)\s(?:\w+\s){{0,2}}{_MACHINE.format('e')}\b",
        rf"\b{_MACHINE.format('f')}(?:\s(?:assistants?|models?|systems?))?"
        rf"(?:[,:]\s*(?:please\s)?|\s(?:must|should|shall)\s(?:always\s)?){_WRITE}\b",
    )
)


def instructs(sentence: str, question: str) -> bool:
    """Whether a sentence tells its reader how to answer, and the question isn't about that."""
    found = (pattern.search(sentence) for pattern in _INSTRUCTIONS)
    return any(m and stem(m[m.lastgroup or 0].lower()) not in stems(question) for m in found)


def without_instructed(statement: Statement, question: str) -> Statement:
    """The statement, left out where what it cites is an instruction: a model repeats one, or follows it."""
    cited = (c.quote[start:end] for c in statement.citations for start, end in split_sentences(c.quote))
    if statement.verdict not in SHOWN or not any(instructs(sentence, question) for sentence in cited):
        return statement
    return replace(statement, verdict="unsupported", support=0.0, reason="the cited text is an instruction")
