#include "tls_context.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "text.h"

/* The whole Certificate message. Above OpenSSL's 100 kB, so that a very long chain can be shown. */
#define CERTIFICATES_MAX (256L * 1024)
/* In a text of trust anchors. The bundles of systems hold about 150. */
#define ANCHORS_MAX 1000

/* The library would ask on the terminal, from underneath the screen. */
static int no_password(char *p, int size, int writing, void *arg)
{
    (void)p;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

/* Why the library could not use a file: the first error is the cause, later ones are its echo. */
static const char *cause(void)
{
    unsigned long err = ERR_peek_error();
    if (ERR_SYSTEM_ERROR(err)) {
        return strerror(ERR_GET_REASON(err));
    }
    const char *reason = ERR_reason_error_string(err);
    return reason != NULL ? reason : "?";
}

static enum status trust_pem(SSL_CTX *ctx, const char *pem, struct error *error)
{
    enum status st = ST_NOMEM;
    int count = 0;
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    BIO *bio = BIO_new_mem_buf(pem, -1);
    if (bio == NULL) {
        goto out;
    }
    X509 *cert;
    while (count < ANCHORS_MAX &&
           (cert = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
        int added = X509_STORE_add_cert(store, cert);
        X509_free(cert);
        if (added != 1) {
            goto out;
        }
        count++;
    }
    if (count == 0) {
        st = error_set(error, ST_INVALID, 0, _("The trusted certificates cannot be read: %s."),
                       cause());
        goto out;
    }
    st = ST_OK;
out:
    if (st == ST_NOMEM) {
        (void)error_set(error, st, 0, _("There is not enough memory for the certificates."));
    }
    BIO_free(bio);
    ERR_clear_error();
    return st;
}

bool tls_context_trusts_system(const struct network *n, const struct tls_config *config)
{
    return config->ca_pem == NULL && config->ca_file == NULL && n->ca_pem == NULL &&
           n->ca_file == NULL;
}

/* The user's anchors win over the network's, and those over the system's. */
static enum status set_trust(SSL_CTX *ctx, const struct network *n,
                             const struct tls_config *config, struct error *error)
{
    const char *pem = config->ca_pem;
    const char *file = config->ca_file;
    if (pem == NULL && file == NULL) {
        pem = n->ca_pem;
        file = n->ca_file;
    }
    if (pem != NULL) {
        return trust_pem(ctx, pem, error);
    }
    if (file != NULL) {
        if (SSL_CTX_load_verify_file(ctx, file) != 1) {
            return error_set(error, ST_INVALID, 0,
                             _("The file %s with trusted certificates cannot be used: %s."), file,
                             cause());
        }
        return ST_OK;
    }
    /* A system without a folder is no mistake of the caller. */
    (void)SSL_CTX_set_default_verify_dir(ctx);
    ERR_clear_error();
    return ST_OK;
}

static enum status set_client_cert(SSL_CTX *ctx, const struct tls_config *config,
                                   struct error *error)
{
    if (config->cert_file == NULL) {
        return ST_OK;
    }
    const char *key_file = config->key_file != NULL ? config->key_file : config->cert_file;
    if (SSL_CTX_use_certificate_chain_file(ctx, config->cert_file) != 1) {
        return error_set(error, ST_INVALID, 0, _("The client certificate %s cannot be used: %s."),
                         config->cert_file, cause());
    }
    if (SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1) {
        return error_set(error, ST_INVALID, 0,
                         _("The private key %s cannot be used: %s."), key_file, cause());
    }
    return ST_OK;
}

enum status tls_context_new(const struct network *n, const struct tls_config *config,
                            SSL_CTX **out, struct error *error)
{
    enum status st;
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    *out = NULL;
    if (ctx == NULL) {
        return error_set(error, ST_NOMEM, 0, _("There is not enough memory for TLS."));
    }
    /* All that the library can still speak: what is too old or too weak is for the verdict to say,
       and it cannot be said about a connection that never came up. */
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(ctx, config->limits.only_tls_1_2 ? TLS1_2_VERSION : 0);
    SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_NO_COMPRESSION | SSL_OP_CLEANSE_PLAINTEXT);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(ctx, CERTIFICATES_MAX);
    SSL_CTX_set_default_passwd_cb(ctx, no_password);
    /* After the level: a list may name a level of its own. */
    const char *ciphers = config->ciphers != NULL ? config->ciphers : "DEFAULT:@SECLEVEL=0";
    if (SSL_CTX_set_cipher_list(ctx, ciphers) != 1) {
        st = error_set(error, ST_INVALID, 0, _("No cipher fits the list %s."), ciphers);
        goto fail;
    }
    st = set_trust(ctx, n, config, error);
    if (st == ST_OK) {
        st = set_client_cert(ctx, config, error);
    }
    if (st != ST_OK) {
        goto fail;
    }
    *out = ctx;
    return ST_OK;
fail:
    ERR_clear_error();
    SSL_CTX_free(ctx);
    return st;
}
