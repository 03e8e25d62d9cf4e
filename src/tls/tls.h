/* tls.h: what the parts of src/tls have for each other, beside mint.h. Everybody else goes by egress/secure.h. */
#ifndef COFFER_TLS_TLS_H
#define COFFER_TLS_TLS_H

/* authority.c: see secure_ops.make_ca */
int tls_make_ca(void);

#endif
