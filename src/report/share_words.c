#include <string.h>

#include "share_impl.h"

/*
 * Ends of names that belong to services with many customers. Who reads a banner or a refusal knows
 * by them which software and which filter speaks; the customer stands in front.
 */
static const char *const kept_suffixes[] = {
    "mx.google.com",
    "l.google.com",
    "google.com",
    "googlemail.com",
    "gmail.com",
    "mail.protection.outlook.com",
    "prod.protection.outlook.com",
    "protection.outlook.com",
    "prod.outlook.com",
    "prod.exchangelabs.com",
    "outlook.com",
    "office365.com",
    "microsoft.com",
    "yahoodns.net",
    "yahoo.com",
    "icloud.com",
    "amazonses.com",
    "pphosted.com",
    "ppe-hosted.com",
    "mimecast.com",
    "messagelabs.com",
    "barracudanetworks.com",
    "barracudacentral.org",
    "iphmx.com",
    "fireeyecloud.com",
    "trendmicro.com",
    "t-online.de",
    "spamhaus.org",
    "spamhaus.com",
    "spamcop.net",
    "sorbs.net",
    "abuseat.org",
    "abusix.zone",
    "surbl.org",
    "uribl.com",
    "senderscore.org",
    "senderscore.com",
    "openspf.org",
    "dmarc.org",
    "postfix.org",
    "exim.org",
    "rfc-editor.org",
    "ietf.org",
    "opendns.com",
    "akamai.net",
    "akamaitech.net",
    /* RFC 2606: nobody's. */
    "example.com",
    "example.net",
    "example.org",
};

/* In front of those ends, and in front of nothing else. */
static const char *const common_labels[] = {
    "aspmx",     "b",         "bl",    "dbl",        "dnsbl",         "go",    "help",
    "imap",      "l",         "learn", "mail",       "myaddr",        "myip",  "ns1",
    "ns2",       "o-o",       "pbl",   "postmaster", "query",         "relay", "rbl",
    "resolver1", "resolver2", "sbl",   "sender",     "sendersupport", "smtp",  "support",
    "whoami",    "www",       "xbl",   "zen",        "ns1-1",         "check",
};

/* Names of hosts and words of sentences and products alike: they tell nobody's name. */
static const char *const common_words[] = {
    "abuse",       "access",     "address",     "antispam",    "auth",       "axigen",
    "backup",      "barracuda",  "blacklist",   "blocked",     "cisco",      "client",
    "clients",     "cloud",      "com",         "communigate", "connect",    "content",
    "courier",     "data",       "debian",      "deny",        "desk",       "dhcp",
    "dial",        "domain",     "domino",      "dovecot",     "dyn",        "dynamic",
    "edge",        "email",      "error",       "esmtp",       "example",    "exchange",
    "exim",        "external",   "fail",        "fiber",       "filter",     "firewall",
    "fortimail",   "from",       "front",       "gate",        "gateway",    "google",
    "greylist",    "greylisted", "groupwise",   "gsmtp",       "halon",      "haraka",
    "hello",       "helo",       "hmailserver", "home",        "host",       "hosting",
    "hostname",    "imap",       "inbound",     "incoming",    "info",       "internal",
    "internet",    "ipv4",       "ipv6",        "ironport",    "james",      "kerio",
    "kumomta",     "linux",      "list",        "lists",       "local",      "localdomain",
    "localhost",   "login",      "maddy",       "mail",        "mailbox",    "mailenable",
    "mailer",      "mailgate",   "mailgw",      "mailhost",    "mailin",     "mailout",
    "mails",       "mailserver", "main",        "mdaemon",     "message",    "messagelabs",
    "microsoft",   "mimecast",   "mobile",      "name",        "network",    "news",
    "node",        "none",       "office",      "open",        "opensmtpd",  "outbound",
    "outgoing",    "outlook",    "pool",        "pop3",        "post",       "postfix",
    "postmaster",  "postscreen", "powermta",    "primary",     "proofpoint", "protocol",
    "provider",    "proxy",      "qmail",       "queue",       "recipient",  "rejected",
    "relay",       "remote",     "root",        "secondary",   "secure",     "security",
    "sender",      "sendmail",   "server",      "service",     "shop",       "size",
    "smartermail", "smtp",       "smtpd",       "smtps",       "spam",       "spamhaus",
    "stalwart",    "starttls",   "static",      "submission",  "support",    "system",
    "temp",        "test",       "time",        "ubuntu",      "user",       "users",
    "virus",       "webmail",    "welcome",     "whitelist",   "windows",    "with",
    "yahoo",       "your",       "zimbra",
};

/* RFC 2142, and what mail systems make themselves. */
static const char *const kept_local_parts[] = {
    "abuse",  "hostmaster", "mailer-daemon", "no-reply", "noc",         "noreply",
    "nobody", "postmaster", "root",          "security", "relay-check", "webmaster",
};
/* Made up by the relay test. */
static const char made_up[] = "relay-check-";

/* Of more than two letters; all with two belong to countries. */
static const char *const generic_tlds[] = {
    "academy",  "agency",  "app",      "arpa",        "asia",   "berlin",  "biz",        "blog",
    "cat",      "center",  "cloud",    "club",        "com",    "company", "coop",       "corp",
    "dev",      "digital", "edu",      "email",       "eus",    "example", "expert",     "finance",
    "gov",      "group",   "guru",     "hamburg",     "health", "home",    "host",       "hosting",
    "info",     "int",     "internal", "invalid",     "jobs",   "koeln",   "lan",        "life",
    "link",     "live",    "local",    "localdomain", "london", "ltd",     "mail",       "media",
    "mil",      "mobi",    "museum",   "name",        "net",    "network", "news",       "nrw",
    "online",   "org",     "page",     "paris",       "plus",   "post",    "pro",        "ruhr",
    "saarland", "sch",     "school",   "services",    "shop",   "site",    "solutions",  "space",
    "store",    "studio",  "swiss",    "systems",     "team",   "tech",    "technology", "tel",
    "test",     "tirol",   "tools",    "top",         "travel", "vip",     "wales",      "website",
    "wien",     "work",    "works",    "world",       "xxx",    "xyz",     "zone",
};

static bool is_word(const char *p, size_t len, const char *word)
{
    struct span s = {p, len};
    return span_equal_nocase(s, word);
}

static bool is_listed(const char *const *list, size_t count, const char *p, size_t len)
{
    for (size_t i = 0; i < count; i++) {
        if (is_word(p, len, list[i])) {
            return true;
        }
    }
    return false;
}

size_t share_kept_suffix(const char *p, size_t len)
{
    size_t longest = 0;
    for (size_t i = 0; i < ARRAY_LEN(kept_suffixes); i++) {
        size_t n = strlen(kept_suffixes[i]);
        if (n > longest && len >= n && is_word(p + len - n, n, kept_suffixes[i]) &&
            (len == n || p[len - n - 1] == '.')) {
            longest = n;
        }
    }
    return longest;
}

bool share_label_is_common(const char *p, size_t len)
{
    return is_listed(common_labels, ARRAY_LEN(common_labels), p, len);
}

bool share_word_is_common(const char *p, size_t len)
{
    return is_listed(common_words, ARRAY_LEN(common_words), p, len);
}

bool share_local_part_stays(const char *p, size_t len)
{
    size_t n = sizeof(made_up) - 1;
    return is_listed(kept_local_parts, ARRAY_LEN(kept_local_parts), p, len) ||
           (len > n && is_word(p, n, made_up));
}

bool share_tld_is_known(const char *p, size_t len)
{
    bool letters = true;
    for (size_t i = 0; i < len; i++) {
        char c = share_lower(p[i]);
        letters = letters && c >= 'a' && c <= 'z';
    }
    /* IDNs have A-labels there. */
    return (len == 2 && letters) || (len > 4 && is_word(p, 4, "xn--")) ||
           (letters && is_listed(generic_tlds, ARRAY_LEN(generic_tlds), p, len));
}
