#include "sasl_impl.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "text.h"

#define HIDDEN "<hidden>"

static enum status add_password(struct sasl *s, struct buf *response)
{
    return buf_add(response, s->password.p, s->password.len);
}

/* RFC 4616 2: [authzid] NUL authcid NUL passwd */
enum status sasl_plain_step(struct sasl *s, struct span challenge, struct buf *response,
                            bool *secret_response, struct error *error)
{
    (void)challenge;
    if (s->step > 0) {
        return sasl_asked_too_much(error);
    }
    *secret_response = true;
    bool role = s->authzid[0] != '\0';
    enum status st = buf_addf(&s->shown, "%s%s%s " HIDDEN, s->authzid, role ? " " : "", s->user);
    if (st == ST_OK) {
        st = buf_add(response, s->authzid, strlen(s->authzid) + 1);
    }
    if (st == ST_OK) {
        st = buf_add(response, s->user, strlen(s->user) + 1);
    }
    return st == ST_OK ? add_password(s, response) : st;
}

/*
 * Never standardised. The order counts and not the words of the server, which are "Username:" and
 * "Password:" only by custom.
 */
enum status sasl_login_step(struct sasl *s, struct span challenge, struct buf *response,
                            bool *secret_response, struct error *error)
{
    (void)challenge;
    if (s->step > 1) {
        return sasl_asked_too_much(error);
    }
    *secret_response = s->step == 1;
    if (s->step == 0) {
        enum status st = buf_add_str(&s->shown, s->user);
        return st == ST_OK ? buf_add_str(response, s->user) : st;
    }
    enum status st = buf_add_str(&s->shown, HIDDEN);
    return st == ST_OK ? add_password(s, response) : st;
}

/*
 * RFC 4422 appendix A: the authorization identity, or nothing for what the certificate says. A user
 * name without it is meant as one.
 */
enum status sasl_external_step(struct sasl *s, struct span challenge, struct buf *response,
                               bool *secret_response, struct error *error)
{
    (void)challenge;
    if (s->step > 0) {
        return sasl_asked_too_much(error);
    }
    *secret_response = false;
    const char *name = s->authzid[0] != '\0' ? s->authzid : s->user;
    enum status st = buf_add_str(&s->shown, name);
    return st == ST_OK ? buf_add_str(response, name) : st;
}

/* RFC 2195: user, a space, and HMAC-MD5 of the challenge in hex. */
enum status sasl_cram_step(struct sasl *s, struct span challenge, struct buf *response,
                           bool *secret_response, struct error *error)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    if (s->step > 0) {
        return sasl_asked_too_much(error);
    }
    *secret_response = true;
    if (challenge.len == 0) {
        return error_set(error, ST_PROTO, 0, _("The server sent an empty challenge."));
    }
    if (HMAC(EVP_md5(), s->password.p, (int)s->password.len, (const unsigned char *)challenge.p,
             challenge.len, digest, &len) == NULL) {
        return error_set(error, ST_PROTO, 0, _("MD5 is switched off in the TLS library here."));
    }
    enum status st = buf_addf(response, "%s ", s->user);
    if (st == ST_OK) {
        st = buf_addf(&s->shown, "%s " HIDDEN, s->user);
    }
    for (unsigned int i = 0; i < len && st == ST_OK; i++) {
        st = buf_addf(response, "%02x", digest[i]);
    }
    secret_wipe(digest, sizeof(digest));
    return st;
}

static enum status add_oauth_front(struct sasl *s, struct buf *out)
{
    if (s->mech == MECH_XOAUTH2) {
        return buf_addf(out, "user=%s\001auth=Bearer ", s->user);
    }
    enum status st = buf_add_str(out, "n,a=");
    if (st == ST_OK) {
        st = sasl_add_name(out, s->user);
    }
    if (st == ST_OK) {
        st = buf_add_str(out, ",\001");
    }
    if (st == ST_OK && s->host[0] != '\0') {
        st = buf_addf(out, "host=%s\001port=%u\001", s->host, (unsigned)s->port);
    }
    return st == ST_OK ? buf_add_str(out, "auth=Bearer ") : st;
}

/*
 * RFC 7628 3.1 and 3.2.3, and the older XOAUTH2. A challenge is always bad news: the reason as
 * JSON, which wants a dummy answer before the server states the failure.
 */
enum status sasl_oauth_step(struct sasl *s, struct span challenge, struct buf *response,
                            bool *secret_response, struct error *error)
{
    if (s->step > 1) {
        return sasl_asked_too_much(error);
    }
    if (s->step == 1) {
        *secret_response = false;
        size_t len = challenge.len < s->oauth_error.max ? challenge.len : s->oauth_error.max;
        enum status st = buf_add(&s->oauth_error, challenge.p, len);
        if (st == ST_OK && s->mech == MECH_OAUTHBEARER) {
            st = buf_add_char(response, '\001');
        }
        return st;
    }
    *secret_response = true;
    enum status st = add_oauth_front(s, response);
    if (st == ST_OK) {
        st = buf_add(&s->shown, response->p, response->len);
    }
    if (st == ST_OK) {
        st = buf_add_str(&s->shown, HIDDEN "\001\001");
    }
    if (st == ST_OK) {
        st = add_password(s, response);
    }
    return st == ST_OK ? buf_add_str(response, "\001\001") : st;
}
