#include "boxes.h"

#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "text.h"

#define FILE_NAME_MAX 512

const char *const login_methods[LOGIN_METHODS] = {NULL, "PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256",
                                           "XOAUTH2", "OAUTHBEARER", "EXTERNAL"};

enum report_format box_save_format(struct form *f)
{
    return (enum report_format)form_field(f, F_FORMAT)->choice;
}

void box_save_rename(struct form *f, enum report_format before)
{
    struct lineedit *e = &form_field(f, F_NAME)->edit;
    enum report_format now = box_save_format(f), named = before;
    char name[FILE_NAME_MAX];
    size_t ending = report_ending(lineedit_text(e), &named);
    if (now != before && ending > 0 && str_copy(name, sizeof(name), lineedit_text(e))) {
        char *tail = name + strlen(name) - ending;
        if (str_copy(tail, sizeof(name) - (size_t)(tail - name), report_extension(now))) {
            (void)!lineedit_set(e, name);
        }
    }
}

static int choice_of_port(uint16_t port)
{
    return port == 25 ? 1 : port == 465 ? 2 : port == 587 ? 3 : 0;
}

void dialog_open_start(struct app *a)
{
    struct dialog *d = dialog_push(a, DIALOG_START);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    form_init(f, "smtpscope " SMTPSCOPE_VERSION);
    form_note(f, "%s", _("Find out what is wrong with a mail server, step by step."));
    form_note(f, " ");
    form_text(f, F_DOMAIN, _("Domain or host"), a->plan.input);
    const char *const ports[] = {_("auto"), "25", "465", "587"};
    form_radio(f, F_PORT, _("Port"), ports, 4, choice_of_port(a->plan.port));
    const char *const purposes[] = {_("receiving"), _("submission")};
    form_radio(f, F_PURPOSE, _("Check for"), purposes, 2, 0);
    form_note(f, " ");
    form_note(f, "%s", _("Safe checks: DNS, connect, EHLO, TLS. No mail is sent."));
    form_note(f, "%s", _("Practise: lessons on a built-in network; no other needed."));
    form_note(f, "%s", _("Type SMTP: by hand, on a live connection."));
    form_note(f, "%s", _("Guide me: from what is wrong, step by step, to who can fix it."));
    form_note(f, "%s", _("F1 tells what will be sent, and to whom. F10 quits."));
    form_button(f, B_GO, _("Safe checks"));
    form_button(f, B_PRACTISE, _("Practise"));
    form_button(f, B_TYPE, _("Type SMTP"));
    form_button(f, B_GUIDE, _("Guide me"));
    form_focus(f, F_DOMAIN);
}

/* "v2:[2001:db8::1]:4711", as --proxy takes it. */
static void proxy_text(const struct proxy_wish *wish, char *out, size_t size)
{
    char source[NET_ADDRESS_TEXT];
    out[0] = '\0';
    if (wish->version == 0) {
        return;
    }
    if (wish->unknown) {
        snprintf(out, size, "v%d:%s", wish->version, wish->version == 1 ? "unknown" : "local");
    } else if (wish->source.family != 0) {
        net_address_format_port(&wish->source, source, sizeof(source));
        snprintf(out, size, "v%d:%s", wish->version, source);
    } else {
        snprintf(out, size, "v%d", wish->version);
    }
}

static void add_identity(struct form *f, const struct plan *plan)
{
    char proxy[NET_ADDRESS_TEXT + 16];
    proxy_text(&plan->proxy, proxy, sizeof(proxy));
    form_note(f, "%s", _("Advanced: PROXY as v2:192.0.2.1, XCLIENT as ADDR=192.0.2.1"));
    form_text(f, F_PROXY, _("PROXY header"), proxy);
    form_text(f, F_XCLIENT, "XCLIENT", plan->xclient);
    form_check(f, F_LMTP, _("the server speaks LMTP"), plan->lmtp);
}

void dialog_open_target(struct app *a)
{
    struct dialog *d = dialog_push(a, DIALOG_TARGET);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    char port[8] = "", source[NET_ADDRESS_TEXT] = "";
    if (a->plan.port != 0) {
        snprintf(port, sizeof(port), "%u", (unsigned)a->plan.port);
    }
    if (a->plan.source.family != 0) {
        net_address_format(&a->plan.source, source, sizeof(source));
    }
    form_init(f, _("Target"));
    form_text(f, F_DOMAIN, _("Domain or host"), a->plan.input);
    if (a->demo && a->options->scenario == NULL) {
        const char *const networks[] = {_("practice"), _("the real one")};
        form_radio(f, F_NETWORK, _("Network"), networks, 2, 0);
    }
    form_text(f, F_HOST, _("Use host"), a->plan.domain != NULL ? a->plan.host : NULL);
    form_text(f, F_PORT, _("Port"), port);
    const char *const modes[] = {_("auto"), "STARTTLS", _("implicit"), _("none")};
    form_radio(f, F_TLS, "TLS", modes, 4, (int)a->plan.tls);
    form_text(f, F_HELO, _("EHLO name"), a->plan.helo);
    form_text(f, F_SOURCE, _("Source address"), source);
    const char *const families[] = {_("any"), "4", "6"};
    form_radio(f, F_FAMILY, "IP", families, 3, a->plan.family == 4 ? 1 : a->plan.family == 6 ? 2 : 0);
    add_identity(f, &a->plan);
    form_button(f, B_GO, _("Start safe checks"));
    form_button(f, B_NO, _("Cancel"));
    form_focus(f, F_DOMAIN);
}

enum login_risk box_login_risk(const struct app *a)
{
    const struct facts *path = record_path(&a->record);
    if (a->record.session == SMTP_CLOSED) {
        return LOGIN_SAFE; /* decided when the connection is there: the step refuses by itself */
    }
    if (!a->record.session_tls) {
        return LOGIN_CLEAR;
    }
    bool proved = path != NULL && path->tls != NULL && path->tls->verified;
    return proved ? LOGIN_SAFE : LOGIN_UNPROVED;
}

static void connection_sentence(const struct app *a, char *out, size_t size)
{
    const struct facts *path = record_path(&a->record);
    char host[128] = "?";
    if (path != NULL && path->mx != NULL) {
        escape_copy(host, sizeof(host), path->mx, strlen(path->mx), 0);
    } else if (path != NULL && path->address.family != 0) {
        net_address_format(&path->address, host, sizeof(host));
    }
    if (a->record.session_tls && path != NULL && path->tls != NULL) {
        snprintf(out, size,
                 path->tls->verified ? _("The connection is %s to %s, name ok.")
                                     : _("The connection is %s to %s, but the server's name was NOT proved."),
                 path->tls->version, host);
    } else if (a->record.session == SMTP_CLOSED) {
        snprintf(out, size, _("The connection to %s will be opened again, with TLS where it is offered."),
                 host);
    } else {
        snprintf(out, size, _("The connection to %s is WITHOUT ENCRYPTION: anybody on the way can read the password."),
                 host);
    }
}

void dialog_open_login(struct app *a)
{
    if (a->plan.read_only) {
        app_say(a, true, "%s", _("--read-only: this run never logs in."));
        return;
    }
    struct dialog *d = dialog_push(a, DIALOG_LOGIN);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    char about[320];
    connection_sentence(a, about, sizeof(about));
    form_init(f, _("Log in"));
    form_text(f, F_USER, _("User"), a->plan.auth_user);
    form_password(f, F_PASSWORD, _("Password"));
    form_check(f, F_SHOW, _("show the password while it is typed"), false);
    const char *const methods[] = {_("best"), "PLAIN", "LOGIN", "CRAM", "SCRAM", "XOAUTH2", "OAUTH", "EXT"};
    int method = 0;
    for (int i = 1; i < (int)ARRAY_LEN(login_methods); i++) {
        if (a->plan.auth_mech != NULL && str_equal_nocase(a->plan.auth_mech, login_methods[i])) {
            method = i;
        }
    }
    form_radio(f, F_METHOD, _("Method"), methods, 8, method);
    enum login_risk risk = box_login_risk(a);
    if (risk != LOGIN_SAFE) {
        form_check(f, F_CLEAR,
                   risk == LOGIN_CLEAR ? _("send the password WITHOUT ENCRYPTION")
                                       : _("send it to a server that is NOT PROVED"),
                   false);
    }
    form_note(f, "%s", about);
    form_note(f, "%s", _("Kept in memory only, wiped after use, never saved."));
    form_button(f, B_GO, _("Log in"));
    form_button(f, B_NO, _("Cancel"));
    form_focus(f, F_USER);
}

void dialog_open_relay(struct app *a)
{
    if (a->plan.read_only) {
        app_say(a, true, "%s", _("--read-only: this run never tests relaying."));
        return;
    }
    struct dialog *d = dialog_push(a, DIALOG_RELAY);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    const struct facts *path = record_path(&a->record);
    char where[NET_ADDRESS_TEXT] = "?", host[200] = "";
    if (path != NULL) {
        net_address_format_port(&path->address, where, sizeof(where));
        if (path->mx != NULL) {
            escape_copy(host, sizeof(host), path->mx, strlen(path->mx), 0);
        }
    }
    form_init(f, _("Relay test: please confirm"));
    form_note(f, _("Asks %s [%s] whether it would forward mail between two domains that it does not host:"),
              host, where);
    form_note(f, "  MAIL FROM:<...>  RCPT TO:<...@example.org>  RSET");
    form_note(f, "%s", _("Three address forms. No DATA: no message can be sent."));
    form_note(f, "%s", _("The server's log will show it, and the server may block this host. Only do this to servers that you run or may test."));
    form_check(f, F_MAY, _("I may test this server"), false);
    form_button(f, B_NO, _("No"));
    form_button(f, B_GO, _("Test"));
    form_focus(f, B_NO);
}

void dialog_open_send(struct app *a)
{
    if (a->plan.read_only) {
        app_say(a, true, "%s", _("--read-only: this run never sends a message."));
        return;
    }
    struct dialog *d = dialog_push(a, DIALOG_SEND);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    char subject[96], when[32], to[300] = "";
    clock_iso8601(a->record.started_wall_us, when, sizeof(when));
    snprintf(subject, sizeof(subject), _("Test from smtpscope, %s"), when);
    if (a->plan.to != NULL) {
        str_copy(to, sizeof(to), a->plan.to);
    } else if (a->plan.domain != NULL) {
        snprintf(to, sizeof(to), "postmaster@%s", a->plan.domain);
    }
    form_init(f, _("Send one test mail"));
    form_text(f, F_FROM, _("From"), a->plan.from);
    form_text(f, F_TO, _("To"), to);
    form_text(f, F_SUBJECT, _("Subject"), a->plan.subject != NULL ? a->plan.subject : subject);
    form_note(f, "%s", _("One message to one recipient, with a header that names this program. From may stay empty: then it is postmaster at the EHLO name."));
    form_button(f, B_NO, _("No"));
    form_button(f, B_VIEW, _("View exact bytes"));
    form_button(f, B_GO, _("Send 1 mail"));
    form_focus(f, B_NO);
}

void dialog_open_save(struct app *a, enum report_format format)
{
    struct dialog *d = dialog_push(a, DIALOG_SAVE);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    char name[FILE_NAME_MAX];
    report_file_name(&a->record, &a->plan, format, name, sizeof(name));
    form_init(f, format == REPORT_TICKET ? _("Save this page") : _("Save this run"));
    const char *const formats[] = {_("text"), "Markdown", "JSON", _("ticket"),
                                   _("ticket (Markdown)")};
    form_radio(f, F_FORMAT, _("Format"), formats, ARRAY_LEN(formats), (int)format);
    form_text(f, F_NAME, _("File name"), name);
    const char *const existing[] = {_("add a number"), _("overwrite")};
    form_radio(f, F_EXISTING, _("If it exists"), existing, 2, 0);
    form_note(f, "%s", _("Readable by you only (0600). Passwords were never recorded."));
    form_button(f, B_GO, _("Save"));
    form_button(f, B_NO, _("Cancel"));
    form_focus(f, F_NAME);
}

void dialog_open_quit(struct app *a)
{
    struct dialog *d = dialog_push(a, DIALOG_QUIT);
    if (d == NULL) {
        return;
    }
    struct form *f = &d->form;
    form_init(f, _("Leave smtpscope?"));
    form_note(f, "%s",
              app_running(a) ? _("A run is under way. Leaving ends it with QUIT.")
                             : _("The conversation that you typed is not saved."));
    form_button(f, B_NO, _("Stay"));
    form_button(f, B_VIEW, _("Save first"));
    form_button(f, B_GO, _("Leave"));
    form_focus(f, B_NO);
}

