#pragma once

/*
 * No process of a box outlives its monitor, not even one that liblxc has just cloned:
 * vitrine-monitor is linked with a recvmsg(2) that sees to it. To be called once, before liblxc
 * starts a container.
 */

/* 0 or -errno. */
int orphan_guard(void);
