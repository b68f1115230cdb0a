#include "reply_class.h"

#include <string.h>

/*
 * One rule. `code`: 0 any, 4 or 5 that first digit, else exactly this one. `status`: subject and
 * detail of the enhanced code, ".7.25" or ".7." for all of a subject, NULL for any. `words`: pieces
 * that have to stand in the text in this order, divided by '*', written as fold() leaves them; NULL
 * for any text.
 */
struct rule {
    int code;
    const char *status;
    const char *words;
    enum reply_class class;
};

static const struct rule rules[] = {
    /* The whole host takes no mail (RFC 7504, 7505). */
    {521, NULL, "not accept", CLASS_NO_MAIL_ACCEPTED},
    {556, NULL, NULL, CLASS_NO_MAIL_ACCEPTED},
    {5, ".7.27", "null mx", CLASS_SENDER_REJECTED},
    {5, ".7.27", "nullmx", CLASS_SENDER_REJECTED},
    {5, NULL, "null mx", CLASS_NO_MAIL_ACCEPTED},
    {5, NULL, "nullmx", CLASS_NO_MAIL_ACCEPTED},
    {5, NULL, "does not accept mail", CLASS_NO_MAIL_ACCEPTED},
    {5, NULL, "does not accept any mail", CLASS_NO_MAIL_ACCEPTED},

    /* The recipient, where the words leave no doubt, before words that also occur in policies. */
    {0, NULL, "recipientnotfound", CLASS_UNKNOWN_RECIPIENT},
    {5, ".4.1", "access denied", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "user unknown", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "unknown user", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "no such user", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "nosuchuser", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "no such recipient", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "no such mailbox", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "no mailbox here", CLASS_UNKNOWN_RECIPIENT},

    /* Greylisting (RFC 6647) is a 4yz and calls itself by name. */
    {4, NULL, "greylist", CLASS_GREYLISTED},
    {4, NULL, "graylist", CLASS_GREYLISTED},
    {4, NULL, "grey list", CLASS_GREYLISTED},
    {4, NULL, "gray list", CLASS_GREYLISTED},
    {4, NULL, "postgrey", CLASS_GREYLISTED},
    {4, ".7.1", "try again in", CLASS_GREYLISTED},
    {4, ".7.1", "please retry in", CLASS_GREYLISTED},

    /* Reverse DNS of the sending host. */
    {0, ".7.25", NULL, CLASS_MISSING_PTR},
    {0, NULL, "reverse dns", CLASS_MISSING_PTR},
    {0, NULL, "reverse hostname", CLASS_MISSING_PTR},
    {0, NULL, "reverse host name", CLASS_MISSING_PTR},
    {0, NULL, "reverse lookup", CLASS_MISSING_PTR},
    {0, NULL, "reverse address", CLASS_MISSING_PTR},
    {0, NULL, "cannot find your hostname", CLASS_MISSING_PTR},
    {0, NULL, "cannot resolve your", CLASS_MISSING_PTR},
    {0, NULL, " ptr ", CLASS_MISSING_PTR},
    {0, NULL, " rdns ", CLASS_MISSING_PTR},
    {0, NULL, "fcrdns", CLASS_MISSING_PTR},

    /* How much we send. */
    {0, NULL, "too many connections", CLASS_RATE_LIMITED},
    {0, NULL, "too many concurrent", CLASS_RATE_LIMITED},
    {0, NULL, "too many simultaneous", CLASS_RATE_LIMITED},
    {0, NULL, "connection rate limit", CLASS_RATE_LIMITED},
    {0, NULL, "rate limit", CLASS_RATE_LIMITED},
    {0, NULL, "ratelimit", CLASS_RATE_LIMITED},
    {0, NULL, "too much mail", CLASS_RATE_LIMITED},
    {0, NULL, "too many messages", CLASS_RATE_LIMITED},
    {0, NULL, "too many emails", CLASS_RATE_LIMITED},
    {0, NULL, "too many mails", CLASS_RATE_LIMITED},
    {0, NULL, "too many recipients", CLASS_RATE_LIMITED},
    {0, NULL, "too many errors", CLASS_RATE_LIMITED},
    {0, NULL, "too many login", CLASS_RATE_LIMITED},
    {0, NULL, "too many auth", CLASS_RATE_LIMITED},
    {0, NULL, "too frequent", CLASS_RATE_LIMITED},
    {0, NULL, "too fast", CLASS_RATE_LIMITED},
    {0, NULL, "throttl", CLASS_RATE_LIMITED},
    {0, NULL, "unusual rate", CLASS_RATE_LIMITED},
    {0, NULL, "sending limit", CLASS_RATE_LIMITED},
    {0, NULL, "message limit", CLASS_RATE_LIMITED},
    {0, NULL, "connection limit", CLASS_RATE_LIMITED},
    {0, NULL, "daily*limit", CLASS_RATE_LIMITED},
    {0, NULL, "daily*quota", CLASS_RATE_LIMITED},
    {0, NULL, "hourly*limit", CLASS_RATE_LIMITED},
    {0, NULL, "per hour", CLASS_RATE_LIMITED},
    {0, ".7.28", NULL, CLASS_RATE_LIMITED},
    {0, ".4.5", "limit", CLASS_RATE_LIMITED},
    {0, ".7.650", NULL, CLASS_RATE_LIMITED},

    /* Malware, before the word spam that such texts also carry. */
    {0, NULL, "virus", CLASS_VIRUS},
    {0, NULL, "malware", CLASS_VIRUS},
    {0, NULL, "trojan", CLASS_VIRUS},
    {0, NULL, "infected with", CLASS_VIRUS},

    /* Relaying. */
    {0, NULL, "relay access denied", CLASS_RELAY_DENIED},
    {0, NULL, "relaying", CLASS_RELAY_DENIED},
    {0, NULL, "relay not", CLASS_RELAY_DENIED},
    {0, NULL, "relay denied", CLASS_RELAY_DENIED},
    {0, NULL, "to relay", CLASS_RELAY_DENIED},
    {0, NULL, "not relay", CLASS_RELAY_DENIED},
    {0, NULL, "no relay", CLASS_RELAY_DENIED},
    {0, NULL, "rcpthosts", CLASS_RELAY_DENIED},
    {0, NULL, "tenantattribution", CLASS_RELAY_DENIED},
    {0, NULL, "domain*not hosted", CLASS_RELAY_DENIED},
    {0, NULL, "domain*not local", CLASS_RELAY_DENIED},
    {0, NULL, "handle mail for", CLASS_RELAY_DENIED},
    {0, ".7.54", NULL, CLASS_RELAY_DENIED},
    {0, ".7.64", NULL, CLASS_RELAY_DENIED},
    {5, NULL, " relay ", CLASS_RELAY_DENIED},

    /* Lists and ranges that the sending address is on. */
    {0, NULL, "blocked using", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "blocklist", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "block list", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "blacklist", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "black list", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "denylist", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "dnsbl", CLASS_BLOCKED_ADDRESS},
    {0, NULL, " rbl", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "spamhaus", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "spamcop", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "barracudacentral", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "sorbs", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "abuseat", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "abusix", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "banned sending ip", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "listed at", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "listed in", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "listed by", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "listed on", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "is listed", CLASS_BLOCKED_ADDRESS},
    {0, NULL, " ip *blocked", CLASS_BLOCKED_ADDRESS},
    {0, NULL, " ip *is banned", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "your ip*refused", CLASS_BLOCKED_ADDRESS},
    {0, NULL, " ip address*rejected", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "client host*blocked", CLASS_BLOCKED_ADDRESS},
    {0, NULL, " host *blocked", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "dynamic ip", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "dynamic address", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "residential", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "not authorized to send*directly", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "server of your isp", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "server of your provider", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "internet service provider", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "not accepting connections", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "connections*not accepted", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "not*accept connections", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "no smtp service here", CLASS_BLOCKED_ADDRESS},
    {0, ".7.511", NULL, CLASS_BLOCKED_ADDRESS},
    {0, ".7.606", NULL, CLASS_BLOCKED_ADDRESS},
    {0, NULL, "helo command rejected", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "bad helo", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "invalid helo", CLASS_BLOCKED_ADDRESS},
    {0, NULL, "forged helo", CLASS_BLOCKED_ADDRESS},

    {0, NULL, "reputation", CLASS_BAD_REPUTATION},
    {0, NULL, "senderscore", CLASS_BAD_REPUTATION},
    {0, NULL, "sender score", CLASS_BAD_REPUTATION},

    /* SPF, DKIM, DMARC (RFC 7372, 7489). */
    {0, NULL, "dmarc", CLASS_SENDER_AUTHENTICATION},
    {0, NULL, "dkim", CLASS_SENDER_AUTHENTICATION},
    {0, NULL, " spf ", CLASS_SENDER_AUTHENTICATION},
    {0, NULL, "openspf", CLASS_SENDER_AUTHENTICATION},
    {0, NULL, "sender policy framework", CLASS_SENDER_AUTHENTICATION},
    {0, NULL, "unauthenticated email", CLASS_SENDER_AUTHENTICATION},
    {0, NULL, "email is unauthenticated", CLASS_SENDER_AUTHENTICATION},
    {0, ".7.20", NULL, CLASS_SENDER_AUTHENTICATION},
    {0, ".7.21", NULL, CLASS_SENDER_AUTHENTICATION},
    {0, ".7.22", NULL, CLASS_SENDER_AUTHENTICATION},
    {0, ".7.23", NULL, CLASS_SENDER_AUTHENTICATION},
    {0, ".7.24", NULL, CLASS_SENDER_AUTHENTICATION},
    {0, ".7.26", NULL, CLASS_SENDER_AUTHENTICATION},
    {0, ".7.509", NULL, CLASS_SENDER_AUTHENTICATION},
    {0, ".7.515", NULL, CLASS_SENDER_AUTHENTICATION},

    /* Login and encryption (RFC 4954, 3207). */
    {530, NULL, NULL, CLASS_SECURITY},
    {534, NULL, NULL, CLASS_SECURITY},
    {535, NULL, NULL, CLASS_SECURITY},
    {538, NULL, NULL, CLASS_SECURITY},
    {432, NULL, NULL, CLASS_SECURITY},
    {525, NULL, NULL, CLASS_SECURITY},
    {0, NULL, "authentication required", CLASS_SECURITY},
    {0, NULL, "authentication is required", CLASS_SECURITY},
    {0, NULL, "authentication failed", CLASS_SECURITY},
    {0, NULL, "authentication failure", CLASS_SECURITY},
    {0, NULL, "basic authentication", CLASS_SECURITY},
    {0, NULL, "must authenticate", CLASS_SECURITY},
    {0, NULL, "not authenticated", CLASS_SECURITY},
    {0, NULL, "starttls", CLASS_SECURITY},
    {0, NULL, "encryption required", CLASS_SECURITY},
    {0, NULL, "tls required", CLASS_SECURITY},
    {0, NULL, "tls*not available", CLASS_SECURITY},

    /* The sender's address. */
    {0, NULL, "sender address rejected", CLASS_SENDER_REJECTED},
    {0, NULL, "sender address*does not exist", CLASS_SENDER_REJECTED},
    {0, NULL, "sender rejected", CLASS_SENDER_REJECTED},
    {0, NULL, "sender*denied", CLASS_SENDER_REJECTED},
    {0, NULL, "sender verify", CLASS_SENDER_REJECTED},
    {0, NULL, "sender verification", CLASS_SENDER_REJECTED},
    {0, NULL, "sender domain", CLASS_SENDER_REJECTED},
    {0, NULL, "domain of sender", CLASS_SENDER_REJECTED},
    {0, NULL, "invalid sender", CLASS_SENDER_REJECTED},
    {0, NULL, "bad sender", CLASS_SENDER_REJECTED},
    {0, NULL, "sender unknown", CLASS_SENDER_REJECTED},
    {0, NULL, "unknown sender", CLASS_SENDER_REJECTED},
    {0, NULL, "sender is not", CLASS_SENDER_REJECTED},
    {0, NULL, "not owned by user", CLASS_SENDER_REJECTED},
    {0, NULL, "send as", CLASS_SENDER_REJECTED},
    {0, NULL, "from domain*resolv", CLASS_SENDER_REJECTED},
    {0, NULL, "unresolvable*domain", CLASS_SENDER_REJECTED},
    {0, NULL, "gateway user", CLASS_SENDER_REJECTED},
    {0, ".1.7", NULL, CLASS_SENDER_REJECTED},
    {0, ".1.8", NULL, CLASS_SENDER_REJECTED},

    /* The size of one message, before mailboxes that are full. */
    {0, NULL, "message size", CLASS_TOO_BIG},
    {0, NULL, "message*too large", CLASS_TOO_BIG},
    {0, NULL, "message*too big", CLASS_TOO_BIG},
    {0, NULL, "size limit", CLASS_TOO_BIG},
    {0, NULL, "maximum*size", CLASS_TOO_BIG},
    {0, NULL, "size*exceed", CLASS_TOO_BIG},
    {0, NULL, "line limit exceeded", CLASS_TOO_BIG},
    {0, ".3.4", NULL, CLASS_TOO_BIG},
    {0, ".2.3", NULL, CLASS_TOO_BIG},

    {0, NULL, "insufficient system", CLASS_SYSTEM_FULL},
    {0, NULL, "disk full", CLASS_SYSTEM_FULL},
    {0, NULL, "no space left", CLASS_SYSTEM_FULL},
    {0, NULL, "backpressure", CLASS_SYSTEM_FULL},
    {0, ".3.1", NULL, CLASS_SYSTEM_FULL},

    {0, NULL, "mailbox full", CLASS_MAILBOX_FULL},
    {0, NULL, "mailbox is full", CLASS_MAILBOX_FULL},
    {0, NULL, "mailbox*over", CLASS_MAILBOX_FULL},
    {0, NULL, "over quota", CLASS_MAILBOX_FULL},
    {0, NULL, "overquota", CLASS_MAILBOX_FULL},
    {0, NULL, "over the allowed quota", CLASS_MAILBOX_FULL},
    {0, NULL, "quota*exceed", CLASS_MAILBOX_FULL},
    {0, NULL, "exceed*quota", CLASS_MAILBOX_FULL},
    {0, NULL, "quota is full", CLASS_MAILBOX_FULL},
    {0, NULL, "out of storage", CLASS_MAILBOX_FULL},
    {0, NULL, "exceed*storage", CLASS_MAILBOX_FULL},
    {0, ".2.2", NULL, CLASS_MAILBOX_FULL},

    {0, NULL, "mailbox*disabled", CLASS_MAILBOX_DISABLED},
    {0, NULL, "mailbox*frozen", CLASS_MAILBOX_DISABLED},
    {0, NULL, "mailbox*inactive", CLASS_MAILBOX_DISABLED},
    {0, NULL, "mailbox*suspended", CLASS_MAILBOX_DISABLED},
    {0, NULL, "mailbox*locked", CLASS_MAILBOX_DISABLED},
    {0, NULL, "account*disabled", CLASS_MAILBOX_DISABLED},
    {0, NULL, "account*inactive", CLASS_MAILBOX_DISABLED},
    {0, NULL, "account*suspended", CLASS_MAILBOX_DISABLED},
    {0, NULL, "account*blocked", CLASS_MAILBOX_DISABLED},
    {0, NULL, "account*locked", CLASS_MAILBOX_DISABLED},
    {0, NULL, "account*expired", CLASS_MAILBOX_DISABLED},
    {0, NULL, "account*closed", CLASS_MAILBOX_DISABLED},
    {0, NULL, "account*deactivated", CLASS_MAILBOX_DISABLED},
    {0, NULL, "user*disabled", CLASS_MAILBOX_DISABLED},
    {0, NULL, "user*suspended", CLASS_MAILBOX_DISABLED},
    {0, NULL, "recipient*disabled", CLASS_MAILBOX_DISABLED},
    {0, NULL, "recipient*suspended", CLASS_MAILBOX_DISABLED},
    {0, ".2.1", NULL, CLASS_MAILBOX_DISABLED},

    {551, NULL, NULL, CLASS_RECIPIENT_MOVED},
    {0, ".1.6", NULL, CLASS_RECIPIENT_MOVED},
    {0, NULL, "has moved", CLASS_RECIPIENT_MOVED},
    {0, NULL, "no longer at this address", CLASS_RECIPIENT_MOVED},

    {0, NULL, "host unknown", CLASS_UNKNOWN_HOST},
    {0, NULL, "unknown host", CLASS_UNKNOWN_HOST},
    {0, NULL, "host not found", CLASS_UNKNOWN_HOST},
    {0, NULL, "domain not found", CLASS_UNKNOWN_HOST},
    {0, NULL, "no such domain", CLASS_UNKNOWN_HOST},
    {0, NULL, "unknown domain", CLASS_UNKNOWN_HOST},
    {0, NULL, "domain*does not exist", CLASS_UNKNOWN_HOST},
    {0, NULL, "domain is invalid", CLASS_UNKNOWN_HOST},
    {0, NULL, "name or service not known", CLASS_UNKNOWN_HOST},
    {0, ".1.2", NULL, CLASS_UNKNOWN_HOST},

    {0, NULL, "too many hops", CLASS_NETWORK},
    {0, NULL, "mail loop", CLASS_NETWORK},
    {0, NULL, "loops back", CLASS_NETWORK},
    {0, NULL, "hop count", CLASS_NETWORK},
    {0, NULL, "routing loop", CLASS_NETWORK},

    {0, NULL, "spam", CLASS_SPAM},
    {0, NULL, "unsolicited", CLASS_SPAM},
    {0, NULL, "bulk mail", CLASS_SPAM},
    {0, NULL, "bulk e mail", CLASS_SPAM},
    {0, NULL, "bulk email", CLASS_SPAM},
    {0, NULL, " ube ", CLASS_SPAM},
    {0, NULL, " uce ", CLASS_SPAM},
    {0, NULL, "junk", CLASS_SPAM},
    {0, NULL, "phish", CLASS_SPAM},

    /* The recipient in more words. */
    {0, NULL, "user not found", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "user not exist", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "user invalid", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "invalid user", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "illegal user", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "does not exist", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "doesn t exist", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "doesn t have", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "recipient not found", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "recipient unknown", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "unknown recipient", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "unknown address", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "address unknown", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "mailbox not found", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "mailbox unknown", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "unknown mailbox", CLASS_UNKNOWN_RECIPIENT},
    {5, NULL, "mailbox unavailable", CLASS_UNKNOWN_RECIPIENT},
    {5, NULL, "mailbox not available", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "invalid recipient", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "invalid mailbox", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "recipient rejected", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "recipient address rejected", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "unverified address", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "undeliverable address", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "unrouteable address", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "unroutable address", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "badrcptto", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "no such address", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "not a valid recipient", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "not a valid mailbox", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "no valid recipient", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "destinataire invalide", CLASS_UNKNOWN_RECIPIENT},
    {0, NULL, "destinataire inconnu", CLASS_UNKNOWN_RECIPIENT},
    {0, ".1.1", NULL, CLASS_UNKNOWN_RECIPIENT},
    {0, ".1.3", NULL, CLASS_UNKNOWN_RECIPIENT},
    {0, ".1.10", NULL, CLASS_UNKNOWN_RECIPIENT},
    {5, ".2.0", NULL, CLASS_UNKNOWN_RECIPIENT},

    /* What a program got wrong. */
    {0, NULL, "bare lf", CLASS_PROTOCOL},
    {0, NULL, "bare linefeed", CLASS_PROTOCOL},
    {0, NULL, "bare newline", CLASS_PROTOCOL},
    {0, NULL, "syntax", CLASS_PROTOCOL},
    {0, NULL, "synchronization", CLASS_PROTOCOL},
    {0, NULL, "protocol error", CLASS_PROTOCOL},
    {0, NULL, "bad sequence", CLASS_PROTOCOL},
    {0, NULL, "not implemented", CLASS_PROTOCOL},

    /* The message itself. */
    {0, NULL, "attachment", CLASS_CONTENT},
    {0, NULL, "content", CLASS_CONTENT},
    {0, NULL, "header", CLASS_CONTENT},
    {0, NULL, "rfc 5322", CLASS_CONTENT},
    {0, NULL, "rfc 2822", CLASS_CONTENT},
    {0, NULL, "rfc5322", CLASS_CONTENT},
    {0, ".6.", NULL, CLASS_CONTENT},

    {0, NULL, "policy", CLASS_POLICY},
    {0, NULL, "policies", CLASS_POLICY},
    {0, NULL, "prohibit", CLASS_POLICY},
    {0, NULL, "client host rejected", CLASS_POLICY},

    {0, NULL, "internal error", CLASS_SYSTEM_ERROR},
    {0, NULL, "system error", CLASS_SYSTEM_ERROR},
    {0, NULL, "server error", CLASS_SYSTEM_ERROR},
    {0, NULL, "lookup error", CLASS_SYSTEM_ERROR},
    {0, NULL, "configuration error", CLASS_SYSTEM_ERROR},
    {0, NULL, "queue file", CLASS_SYSTEM_ERROR},
    {0, NULL, "mailer error", CLASS_SYSTEM_ERROR},
    {0, NULL, "transaction failed", CLASS_SYSTEM_ERROR},
    {0, NULL, "service currently unavailable", CLASS_SYSTEM_ERROR},
    {0, NULL, "service unavailable", CLASS_SYSTEM_ERROR},
    {0, NULL, "service not available", CLASS_SYSTEM_ERROR},
    {0, NULL, "insufficient permission", CLASS_SYSTEM_ERROR},
    {0, ".3.", NULL, CLASS_SYSTEM_ERROR},

    {5, NULL, "not allowed", CLASS_POLICY},
    {5, NULL, "not permitted", CLASS_POLICY},
    {0, ".7.0", NULL, CLASS_POLICY},
    {0, ".7.1", NULL, CLASS_POLICY},
    {0, ".7.", NULL, CLASS_SECURITY},
    {0, ".5.", NULL, CLASS_PROTOCOL},
    {0, ".4.", NULL, CLASS_NETWORK},

    /* Nothing but the code. */
    {500, NULL, NULL, CLASS_PROTOCOL},
    {501, NULL, NULL, CLASS_PROTOCOL},
    {502, NULL, NULL, CLASS_PROTOCOL},
    {503, NULL, NULL, CLASS_PROTOCOL},
    {504, NULL, NULL, CLASS_PROTOCOL},
    {555, NULL, NULL, CLASS_PROTOCOL},
    {521, NULL, NULL, CLASS_NO_MAIL_ACCEPTED},
    {550, NULL, "denied", CLASS_POLICY},
    {550, NULL, NULL, CLASS_UNKNOWN_RECIPIENT},
    {552, NULL, NULL, CLASS_MAILBOX_FULL},
    {553, NULL, NULL, CLASS_UNKNOWN_RECIPIENT},
    {554, NULL, NULL, CLASS_POLICY},
    {452, NULL, NULL, CLASS_SYSTEM_FULL},
    {4, NULL, NULL, CLASS_SYSTEM_ERROR},
    {5, NULL, NULL, CLASS_POLICY},
};

static bool is_word_byte(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

static bool ends_token(unsigned char c)
{
    return c <= ' ' || strchr("<>()[]\"',;", c) != NULL;
}

/* Lower case, one blank between words and at both ends, no mail addresses. */
static void fold(struct span text, char *out, size_t size)
{
    size_t n = 0;
    size_t i = 0;
    out[n++] = ' ';
    while (i < text.len && n + 2 < size) {
        size_t end = i;
        bool mailbox = false;
        while (end < text.len && !ends_token((unsigned char)text.p[end])) {
            mailbox = mailbox || text.p[end] == '@';
            end++;
        }
        for (; i < end && !mailbox && n + 2 < size; i++) {
            unsigned char c = (unsigned char)text.p[i];
            if (!is_word_byte(c)) {
                c = ' ';
            } else if (c >= 'A' && c <= 'Z') {
                c = (unsigned char)(c - 'A' + 'a');
            }
            if (c != ' ' || out[n - 1] != ' ') {
                out[n++] = (char)c;
            }
        }
        i = end + 1;
        if (out[n - 1] != ' ') {
            out[n++] = ' ';
        }
    }
    if (out[n - 1] != ' ') {
        out[n++] = ' ';
    }
    out[n] = '\0';
}

static bool words_match(const char *text, const char *words)
{
    char piece[64];
    while (*words != '\0') {
        size_t len = strcspn(words, "*");
        if (len >= sizeof(piece)) {
            return false;
        }
        memcpy(piece, words, len);
        piece[len] = '\0';
        const char *found = strstr(text, piece);
        if (found == NULL) {
            return false;
        }
        text = found + len;
        words += len + (words[len] == '*' ? 1 : 0);
    }
    return true;
}

/* The class digit is left out: servers send "421 5.7.32", and the basic code decides (RFC 2034 4).
 */
static bool status_matches(const char *enhanced, const char *status)
{
    const char *rest = strchr(enhanced, '.');
    if (rest == NULL) {
        return false;
    }
    size_t len = strlen(status);
    return status[len - 1] == '.' ? strncmp(rest, status, len) == 0 : strcmp(rest, status) == 0;
}

static bool code_matches(int code, int wanted)
{
    return wanted == 0 || wanted == code || (wanted < 10 && wanted == code / 100);
}

enum reply_class reply_classify(int code, const char *enhanced, struct span text)
{
    char folded[REPLY_CLASS_TEXT_MAX];
    if (code < 400 || code > 599) {
        return CLASS_NONE;
    }
    fold(text, folded, sizeof(folded));
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        const struct rule *r = &rules[i];
        if (!code_matches(code, r->code)) {
            continue;
        }
        if (r->status != NULL && (enhanced == NULL || !status_matches(enhanced, r->status))) {
            continue;
        }
        if (r->words == NULL || words_match(folded, r->words)) {
            return r->class;
        }
    }
    return CLASS_NONE;
}

enum who reply_class_who(enum reply_class class)
{
    switch (class) {
    case CLASS_RELAY_DENIED:
    case CLASS_SENDER_AUTHENTICATION:
    case CLASS_SECURITY:
    case CLASS_MISSING_PTR:
    case CLASS_BLOCKED_ADDRESS:
    case CLASS_BAD_REPUTATION:
    case CLASS_RATE_LIMITED:
    case CLASS_SENDER_REJECTED:
    case CLASS_SPAM:
    case CLASS_CONTENT:
    case CLASS_VIRUS:
    case CLASS_TOO_BIG:
    case CLASS_PROTOCOL:
        return WHO_CLIENT;
    case CLASS_UNKNOWN_RECIPIENT:
    case CLASS_MAILBOX_FULL:
    case CLASS_MAILBOX_DISABLED:
    case CLASS_RECIPIENT_MOVED:
    case CLASS_POLICY:
    case CLASS_SYSTEM_ERROR:
    case CLASS_SYSTEM_FULL:
        return WHO_SERVER;
    case CLASS_UNKNOWN_HOST:
    case CLASS_NO_MAIL_ACCEPTED:
        return WHO_DNS;
    case CLASS_NETWORK:
        return WHO_NETWORK;
    case CLASS_GREYLISTED:
    case CLASS_NONE:
        break;
    }
    return WHO_NOBODY;
}

bool reply_class_about_client(enum reply_class class)
{
    switch (class) {
    case CLASS_MISSING_PTR:
    case CLASS_BLOCKED_ADDRESS:
    case CLASS_BAD_REPUTATION:
    case CLASS_RATE_LIMITED:
        return true;
    default:
        return false;
    }
}
