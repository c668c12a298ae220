"""Lines of web pages that belong to the page and not to the text: whole lines, never parts of prose."""

from __future__ import annotations

import re

MAX_AFTER_COMMENTS = 300
"""Characters below the place for comments that still count as the foot of the page."""

# What nobody writes but a page's template, whatever the format it was saved in.
_STORIES = (
    r"most (?:read|popular|viewed|shared|commented)(?: (?:stories|articles|news|posts))?:?",
    r"you (?:may|might) (?:also )?(?:like|be interested in|want to)(?: (?:to )?(?:watch|read|see))?:?",
    r"recommended for you:?|trending(?: now| stories):?",
)
_SKIP_LINK = r"(?:skip|jump) to (?:the )?(?:main |primary )?(?:content|navigation|menu|search|footer)"
_UNAMBIGUOUS = (
    _SKIP_LINK,
    r"become a (?:supporter|subscriber|patron)(?: today| now)?|(?:article|story) continues (?:below|after).{0,40}",
    r"why are you seeing this ad\??|(?:this (?:web)?site|we) uses? (?:\w+ )?cookies\b.{0,300}",
    r"(?:accept|reject|manage|allow)(?: all)? cookies|cookie (?:settings|notice)",
    r"[-–—_=*.·•|~#\s]+",
)
# What may as well be a heading, a step or a line of somebody's text.
_HEADLINES = (
    r"popular now|featured (?:stories|articles)|in pictures|(?:read|see) (?:next|also):?|more on this(?: story)?:?",
    r"more from .{1,40}|editor['’]?s picks?:?|don['’]?t miss|also in (?:the )?news",
    r"(?:latest|more|top) (?:news|stories)",
    r"related (?:articles?|stories|content|links|news|topics|pages|posts|items|tags):?",
)
_NAVIGATION = (
    r"(?:read|see|find out|learn|view|show|load) (?:more|all)(?: (?:here|stories|articles|news))?\W*",
    r"(?:back|return) to (?:the )?(?:top(?: of (?:the )?page)?|home ?page|search results|news|list|index)",
    r"(?:main |site |toggle |open |close )?(?:menu|navigation)|breadcrumbs?|you are here:?.{0,80}",
    r"search(?: this site| the site)?|print(?: this)?(?: page)?|home|news",
    r"accessibility statement|(?:download|listen to) this (?:page|article)",
    r"(?:home|news|a-z|contact us|sign in|log ?in|register|my account)(?:\s*[|>»/›]\s*[\w &'’-]{1,30})+",
    r"(?:next|previous|older|newer)(?: (?:page|article|story|post|item)s?)?",
    r"[«‹←] ?\w[\w ]{0,20}|\w[\w ]{0,20} ?[»›→]",
)
_ADVERTISING = (
    r"advertisement|advert|ad|sponsored(?: links?| content)?|promoted(?: content| stories)?|remove ads?",
    r"(?:become|be) a (?:supporter|member|subscriber|patron)(?: today| now)?",
    r"support us(?: today| now)?|donate(?: now| today| here)?",
    r"already (?:a subscriber|have an account|registered)\?.{0,40}",
    r"(?:subscribe|sign ?up|register|log ?in|sign ?in)(?: (?:now|today|here|free|to|for|with|our|the|daily|"
    r"weekly|e-?mail|newsletters?|alerts?|updates?|account|your|get|and|or|comment|continue|reading|read|post|a))*\W*",
    r"sign ?up (?:to|for) (?:our|the) [\w -]{0,30}newsletter\b.{0,60}|enter your e-?mail(?: address)?\W*",
    r"(?:get|receive) (?:our |the )?(?:latest )?(?:news(?:letter)?|headlines|updates|stories)(?: \w+){0,6} "
    r"(?:inbox|e?-?mail)\W*",
)
_SHARING = (
    r"(?:share|tweet|like|pin|follow us|e-?mail|print|save|copy link|bookmark)(?: (?:this|on|via|by|to|us|"
    r"the|page|article|story|post|facebook|twitter|x|linkedin|whatsapp|instagram|youtube|e-?mail|friend))*:?",
    r"(?:(?:share|tweet|like|facebook|twitter|x|linkedin|whatsapp|instagram|youtube|e-?mail|print)\W{1,3}){2,20}",
    r"(?:facebook|twitter|linkedin|whatsapp|instagram|youtube|reddit|pinterest)",
    r"(?:post|leave|add|write|view|show|hide|see)(?: a| your| all)? comments?(?: \(?\d*\)?)?",
    r"\d+ (?:comments?|shares?|likes?)",
    r"comment(?:s|ing) (?:are|is) (?:now )?(?:closed|off|disabled).{0,40}",
    r"join the (?:conversation|discussion)|(?:click|tap) here\W*",
    r"cookie policy|all rights reserved\W*|(?:©|\(c\)|copyright) .{0,80}",
    r"(?:was|did you find) this (?:page|article|information) (?:useful|helpful)\?.{0,20}",
    r"please (?:think|consider the environment) before (?:you )?print(?:ing)?.{0,40}",
)


def _whole_line(*tables: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{line})" for table in tables for line in table), re.IGNORECASE)


ALWAYS = _whole_line(_STORIES, _UNAMBIGUOUS)
"""Furniture in any format; to be matched with a whole line, as those below are."""
IN_MENUS = _whole_line(_STORIES, _UNAMBIGUOUS, _HEADLINES, _NAVIGATION, _ADVERTISING, _SHARING)
"""Furniture on a web page, or where several stand together."""
STORIES = _whole_line(_STORIES)
"""What stands above the headlines of other stories in any format."""
HEADLINES = _whole_line(_STORIES, _HEADLINES)
"""The same on a web page."""
SKIP_LINK = _whole_line((_SKIP_LINK,))

COMMENTS = re.compile(
    r"^(?:(?:blog )?comments powered by disqus|please enable javascript to view the comments.*"
    r"|(?:view (?:the )?)?discussion thread\W*)$",
    re.IGNORECASE | re.MULTILINE,
)
APPEAL = re.compile(
    r"(?=.{40,900}\Z)(?:this (?:news)?paper|this (?:web)?site|this title|we rely on|"
    r"our (?:newsroom|journalism|readers|newspaper)|(?:thank you for|thanks for) reading|"
    r"if you (?:value|enjoy)|local (?:news|journalism))\b.*"
    r"\b(?:ask(?:ing)? (?:for|you for) your (?:support|help)|(?:every|your) (?:contribution|donation)|"
    r"support (?:our|local|independent|quality) journalism|"
    r"becom(?:e|ing) a (?:supporter|subscriber|member))\b",
    re.IGNORECASE | re.DOTALL,
)
"""A newspaper's request for money: a whole paragraph that opens and ends as those do."""

_MISSING = r"tb[cad]|to follow|to be (?:confirmed|added|inserted|completed|advised)"
PLACEHOLDER = re.compile(
    r"\[\s*(?:please\s+)?(?:insert|enter|add|type|fill in|replace|include|select)\b[^\[\]\n]{0,150}\]"
    r"|\[\s*(?:link|url|date|name|number|time|venue|location|address|title|quote|amount|job title)\s*\]"
    r"|\[\s*x{2,}[^\[\]\n]{0,20}\]"
    r"|\[\s*(?:link|date|name|url) (?:to|of|here)\b[^\[\]\n]{0,80}\]"
    rf"|\[[^\[\]\n]{{0,80}}\b(?:{_MISSING})\b[^\[\]\n]{{0,60}}\]"
    r"|<\s*(?:insert|enter|add)\b[^<>\n]{0,150}>|\{\{[^{}\n]{1,80}\}\}|<<[^<>\n]{1,80}>>",
    re.IGNORECASE,
)
"""What an author meant to fill in and didn't."""
