"""Our icons: a name and what is drawn in a square of 20 units, in lines of one weight (base.css, `.icon`)."""

ICONS: dict[str, str] = {
    "alert": '<path d="M10 3.2 17.3 16H2.7zM10 8v3.6M10 13.8v.1"/>',
    "arrow": '<path d="M4 10h12M11 5l5 5-5 5"/>',
    "bell": (
        '<path d="M10 2.8a4.7 4.7 0 0 0-4.7 4.7c0 4.3-1.8 5.5-1.8 6.5h13c0-1-1.8-2.2-1.8-6.5A4.7 4.7 0 0 0 10 2.8'
        'M8.3 16.6a1.8 1.8 0 0 0 3.4 0"/>'
    ),
    "bin": '<path d="M3.5 5.5h13M7.8 5.5V3.8h4.4v1.7M5.3 5.5l.8 11h7.8l.8-11M8.5 8.8v4.4M11.5 8.8v4.4"/>',
    "check": '<path d="m4 10.5 4 4 8-9"/>',
    "chevron": '<path d="m7.5 4.5 5.5 5.5-5.5 5.5"/>',
    "clip": (
        '<path d="m16 9.5-6.2 6.2a3.6 3.6 0 0 1-5.1-5.1l6.5-6.5a2.4 2.4 0 0 1 3.4 3.4L8.2 14a1.2 1.2 0 0 1-1.7-1.7L12 6.8"/>'
    ),
    "clock": '<circle cx="10" cy="10" r="7"/><path d="M10 6v4.2l2.8 1.6"/>',
    "company": (
        '<path d="M4 17V4.5A1.5 1.5 0 0 1 5.5 3h5A1.5 1.5 0 0 1 12 4.5V17M12 8.5h2.5A1.5 1.5 0 0 1 16 10v7M2.5 17h15'
        'M7 6.5h2M7 9.8h2M7 13h2"/>'
    ),
    "contact": '<circle cx="10" cy="6.8" r="3.3"/><path d="M3.8 17c.6-3.4 3.1-5 6.2-5s5.6 1.6 6.2 5"/>',
    "copy": (
        '<rect x="7" y="7" width="9.5" height="9.5" rx="1.5"/><path d="'
        'M13 7V5a1.5 1.5 0 0 0-1.5-1.5H5A1.5 1.5 0 0 0 3.5 5v6.5A1.5 1.5 0 0 0 5 13h2"/>'
    ),
    "cross": '<path d="m5 5 10 10M15 5 5 15"/>',
    "dots": '<path stroke-width="2.6" d="M4.5 10h.01M10 10h.01M15.5 10h.01"/>',
    "down": '<path d="m5 7.5 5 5 5-5"/>',
    "emails": '<rect x="2.5" y="4.5" width="15" height="11" rx="2"/><path d="m3 6 7 5 7-5"/>',
    "file": '<path d="M11 2.8H6A1.5 1.5 0 0 0 4.5 4.3v11.4A1.5 1.5 0 0 0 6 17.2h8a1.5 1.5 0 0 0 1.5-1.5V7.3zM11 2.8v4.5h4.5"/>',
    "help": '<circle cx="10" cy="10" r="7"/><path d="M7.9 8a2.1 2.1 0 1 1 3.6 1.5c-.8.7-1.5 1.1-1.5 2M10 13.9v.1"/>',
    "info": '<circle cx="10" cy="10" r="7"/><path d="M10 9.3v4.2M10 6.5v.1"/>',
    "integrations": '<path d="M7 2.8v4M13 2.8v4M4.8 6.8h10.4v2.6a5.2 5.2 0 0 1-10.4 0zM10 14.6v2.8"/>',
    "keyboard": (
        '<rect x="2" y="5" width="16" height="10" rx="2"/><path d="M5.5 8.5h.01M8.5 8.5h.01M11.5 8.5h.01M14.5 8.5h.01M7 12h6"/>'
    ),
    "lock": '<rect x="4.5" y="9" width="11" height="8" rx="1.5"/><path d="M7 9V6.3a3 3 0 0 1 6 0V9"/>',
    "out": '<path d="M8 3.8H5.3a1.5 1.5 0 0 0-1.5 1.5v9.4a1.5 1.5 0 0 0 1.5 1.5H8M12.5 6.5 16 10l-3.5 3.5M16 10H8"/>',
    "plan": '<path d="m10 3 7 3.5-7 3.5-7-3.5zM3 10l7 3.5 7-3.5M3 13.5 10 17l7-3.5"/>',
    "plus": '<path d="M10 4v12M4 10h12"/>',
    "search": '<circle cx="9" cy="9" r="5.2"/><path d="m13 13 4 4"/>',
    "settings": (
        '<path d="M3 6.5h7M15 6.5h2M3 13.5h2M10 13.5h7"/><circle cx="12.5" cy="6.5" r="2.2"/>'
        '<circle cx="7.5" cy="13.5" r="2.2"/>'
    ),
    "system": '<rect x="2.5" y="3.8" width="15" height="10" rx="1.5"/><path d="M7 17h6M10 13.8V17"/>',
    "team": (
        '<circle cx="7.5" cy="7" r="2.8"/><path d="M2.3 16.2c.5-2.9 2.5-4.4 5.2-4.4s4.7 1.5 5.2 4.4'
        'M12.5 4.5a2.8 2.8 0 0 1 0 5M14.8 12.2c1.6.6 2.6 2 2.9 4"/>'
    ),
    "undo": '<path d="M7 4.5 3.5 8 7 11.5M3.5 8H12a4.2 4.2 0 0 1 0 8.4H9"/>',
}
