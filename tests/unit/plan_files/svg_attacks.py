"""Fifty drawings that try to run a script, to fetch a page or to leave markup behind."""

_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"'
)
_RECT = '<rect width="9" height="9"/>'
_SHELF = '<rect id="{}" width="9" height="9"/>'
_BODIES = (
    "<script>alert(1)</script>",
    "<script type='text/ecmascript'><![CDATA[alert(1)]]></script>",
    "<script href='http://127.0.0.1/x.js'/>",
    "<script xlink:href='data:text/javascript,alert(1)'/>",
    "<g><g><script>fetch('/v1/me')</script></g></g>",
    "<handler type='application/ecmascript'>alert(1)</handler>",
    "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml' onload='alert(1)'/></foreignObject>",
    "<foreignObject><iframe xmlns='x' src='javascript:alert(1)'/></foreignObject>",
    "<foreignObject><script xmlns='http://www.w3.org/1999/xhtml'>alert(1)</script></foreignObject>",
    "<a xlink:href='javascript:alert(1)'><rect width='9' height='9'/></a>",
    "<a href='javascript:alert(1)'><text>x</text></a>",
    "<image href='http://127.0.0.1/pixel.png'/>",
    "<image xlink:href='data:image/svg+xml;base64,PHN2Zy8+'/>",
    "<use href='data:image/svg+xml,%3Csvg/%3E#x'/>",
    "<use xlink:href='http://127.0.0.1/x.svg#x'/>",
    "<feImage xlink:href='http://127.0.0.1/x'/>",
    "<animate attributeName='href' values='javascript:alert(1)'/>",
    "<a><animate attributeName='href' to='javascript:alert(1)'/><rect width='9' height='9'/></a>",
    "<set attributeName='onmouseover' to='alert(1)'/>",
    "<set attributeName='href' to='javascript:alert(1)' begin='0s'/>",
    "<animateTransform onbegin='alert(1)'/>",
    "<style>@import 'http://127.0.0.1/x.css';</style>",
    "<style>*{background:url(javascript:alert(1))}</style>",
    "<link xmlns='http://www.w3.org/1999/xhtml' rel='stylesheet' href='http://127.0.0.1/x'/>",
    "<audio xmlns='http://www.w3.org/1999/xhtml' src='x' onerror='alert(1)'/>",
    "<video xmlns='http://www.w3.org/1999/xhtml'><source onerror='alert(1)'/></video>",
    "<discard onbegin='alert(1)'/>",
    "<title>&lt;script&gt;alert(1)&lt;/script&gt;</title>" + _RECT,
    "<g><title>&lt;img src=x onerror=alert(1)&gt;</title>" + _RECT + "</g>",
    "<desc>&lt;script&gt;alert(1)&lt;/script&gt;</desc>" + _RECT,
    "<metadata><script>alert(1)</script></metadata>" + _RECT,
    "<g id='&lt;svg onload=alert(1)&gt;'>" + _RECT + "</g>",
    "<g inkscape:label='&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;'>" + _RECT + "</g>",
    "<g inkscape:label='Regal&#x202e;&lt;b&gt;'>" + _RECT + "</g>",
    "<rect width='9' height='9' onclick='alert(1)'/>",
    "<rect width='9' height='9' onmouseover='alert(1)' style='cursor:url(javascript:alert(1))'/>",
    "<path d='M0 0h9v9z' onfocus='alert(1)' tabindex='0'/>",
    "<rect width='9' height='9' fill='url(http://127.0.0.1/x#y)'/>",
    "<rect width='9' height='9' filter='url(data:image/svg+xml,x#f)'/>",
    "<rect width='9' height='9' style='fill:url(javascript:alert(1))'/>",
    "<rect width='expression(alert(1))' height='9'/>",
    "<circle r='9' cx='javascript:alert(1)'/>",
    "<polygon points='0,0 9,0 &lt;script&gt; 9,9'/>",
    "<?xml-stylesheet href='javascript:alert(1)'?>" + _RECT,
    "<!-- <script>alert(1)</script> -->" + _RECT,
)
_WHOLE = (
    f"{_HEAD} onload='alert(1)'>{_RECT}</svg>",
    f"{_HEAD} onload='alert(1)' onunload='alert(2)' onresize='alert(3)'/>",
    f"<?xml-stylesheet type='text/xsl' href='http://127.0.0.1/x.xsl'?>{_HEAD}>{_RECT}</svg>",
    f"<!DOCTYPE svg [<!ATTLIST svg onload CDATA 'alert(1)'>]>{_HEAD}>{_RECT}</svg>",
    f"<!DOCTYPE svg [<!ENTITY x '&#60;script&#62;alert(1)&#60;/script&#62;'>]>{_HEAD}>&x;</svg>",
    f"{_HEAD}>{_SHELF.format('javascript:alert(1)')}</svg>",
)
ATTACKS = (*(f"{_HEAD}>{body}</svg>" for body in _BODIES), *_WHOLE)
