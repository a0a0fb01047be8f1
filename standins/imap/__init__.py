"""A real IMAP server (Debian's Dovecot) as a stand-in, and a proxy before it that makes trouble."""
