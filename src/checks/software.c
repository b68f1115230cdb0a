#include "software.h"

#include <string.h>

struct mark {
    const char *needle; /* lower case */
    const char *name;
};

/* First match wins; what runs in front of others stands first. */
static const struct mark marks[] = {
    {"postscreen", "Postfix"},
    {"gsmtp", "Google"},
    {"mx.google.com", "Google"},
    {"protection.outlook.com", "Microsoft 365"},
    {"prod.outlook.com", "Microsoft 365"},
    {"microsoft esmtp mail service", "Microsoft Exchange"},
    {"yahoodns", "Yahoo"},
    {"pphosted", "Proofpoint"},
    {"ppe-hosted", "Proofpoint"},
    {"mimecast", "Mimecast"},
    {"messagelabs", "Symantec Email Security"},
    {"barracuda", "Barracuda"},
    {"ironport", "Cisco IronPort"},
    {"fortimail", "FortiMail"},
    {"t-online", "T-Online"},
    {"esmtp postfix", "Postfix"},
    {"postfix", "Postfix"},
    {"esmtp exim", "Exim"},
    {"exim", "Exim"},
    {"opensmtpd", "OpenSMTPD"},
    {"sendmail", "Sendmail"},
    {"qmail", "qmail"},
    {"haraka", "Haraka"},
    {"halon", "Halon"},
    {"powermta", "PowerMTA"},
    {"kumomta", "KumoMTA"},
    {"mailenable", "MailEnable"},
    {"mdaemon", "MDaemon"},
    {"kerio", "Kerio Connect"},
    {"zimbra", "Zimbra"},
    {"stalwart", "Stalwart"},
    {"dovecot", "Dovecot"},
    {"courier", "Courier"},
    {"axigen", "Axigen"},
    {"hmailserver", "hMailServer"},
    {"apache james", "Apache James"},
    {"james smtp", "Apache James"},
    {"lotus domino", "HCL Domino"},
    {"domino", "HCL Domino"},
    {"groupwise", "GroupWise"},
    {"communigate", "CommuniGate"},
    {"smartermail", "SmarterMail"},
    {"xmail", "XMail"},
    {"maddy", "maddy"},
    {"mox ", "mox"},
};

static bool contains(struct span text, const char *needle)
{
    size_t len = strlen(needle);
    for (size_t i = 0; i + len <= text.len; i++) {
        struct span part = {text.p + i, len};
        if (span_equal_nocase(part, needle)) {
            return true;
        }
    }
    return false;
}

const char *software_name(struct span greeting)
{
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        if (contains(greeting, marks[i].needle)) {
            return marks[i].name;
        }
    }
    return "";
}
