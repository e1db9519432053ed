/*
 * lockfree.pml: one relation slot, read field by field without a lock.
 *
 * Writers hold the slot's lock and write single fields in the order of rule 6;
 * readers hold none.  The flag ddl of an entry is the top bit of its xid word
 * (DDL=1), so xid and flag are one field and never torn.  For an entry with
 * the flag only done counts.  See catalog.pml for the catalog side: plan,
 * messages, generation.  Memory is sequentially consistent here, which the
 * barriers of rule 6 have to provide.
 */
#ifndef NW
#define NW 2
#endif
#ifndef K
#define K 1
#endif
#ifndef RORD
#define RORD 1			/* reader: 1 version, recent, maxima
						 * 2 BAD recent, maxima, version
						 * 3 version, maxima, recent
						 * 4 version, recent, maxima, version again
						 * 5 BAD maxima, version, recent */
#endif
#ifndef WORD
#define WORD 1			/* writer: 1 maxima, recent, version
						 * 2 BAD version first
						 * 3 recent, maxima, version */
#endif
#ifndef XD
#define XD 1			/* entry written: 1 xid then done; 2 done then xid */
#endif
#ifndef RXD
#define RXD 1			/* entry read: 1 xid then done; 2 done then xid */
#endif
#ifndef WLOCK
#define WLOCK 1			/* 0 BAD: writers without lock */
#endif
#ifndef DDL
#define DDL 0			/* 0 all plain; 1 each writer plain, or ddl, or plain
						 * and then ddl; 2 all ddl
						 * 3, 4 writer 0 ddl, or plain and then ddl; the others
						 *	 plain */
#endif
#ifndef FLAGWORD
#define FLAGWORD 1		/* 0 BAD: flag in a field of its own, written after
						 * the version */
#endif
#ifndef MASK
#define MASK 1			/* 0 BAD: reader ignores the flag */
#endif
#ifndef REACH
#define REACH 0			/* 1 a hit; 2 a hit with a changed plan; 3 a hit after
						 * a ddl entry was replaced */
#endif
#define TOP 128
#define NOFLAG(w) ((w) & 127)
#define BIT(z) (1<<(z))
#define MAXTO(a,b) if :: (b) > (a) -> a = (b) :: else fi
#define VIS (committed & ~running)

byte	count = 1, nextx = 1, latest, running, committed, rmods, cmods, sent;
byte	ver, x[K], d[K], evd, evx;
bit		lk;
#if !FLAGWORD
bit		fl[K];
#endif
bit		Evalid, stop, grepl;
byte	Ev, Erows, Eplan;

inline snap(F, XM, L)
{
	d_step {
		F = (BIT(latest+1)-1) & ~running;
		XM = 1;
		do :: XM <= latest && !((running>>XM)&1) -> XM++ :: else -> break od;
		L = count
	}
}
inline lock()
{
#if WLOCK
	atomic { !stop && lk==0 -> lk = 1 }
#endif
	skip
}
inline unlock() { lk = 0 }
inline wmax()
{
	if
	:: old!=0 -> d_step { MAXTO(evd, oldd) }; d_step { MAXTO(evx, NOFLAG(old)) }
	:: else
	fi
}
inline wrec()
{
#if XD==1
	x[u] = w; d[u] = 0
#else
	d[u] = 0; x[u] = w
#endif
}
/* announce; the word w is the xid, with the flag or without */
inline announce(ddl)
{
	lock();
	d_step {
#if FLAGWORD
		w = me | ((ddl) -> TOP : 0);
#else
		w = me;
#endif
		t = 0; u = 255; old = 0; oldd = 0;
		do
		:: t < K ->
			if
			:: NOFLAG(x[t])==me -> u = t; break
			:: u==255 && (x[t]==0 || d[t]!=0 || (!(x[t]&TOP) && !((running>>NOFLAG(x[t]))&1))
#if !FLAGWORD
				&& !fl[t]
#endif
			  ) -> u = t
			:: else
			fi; t++
		:: else -> break
		od;
		t = 0;
		if
		:: u==255 -> noroom = 1
		:: u!=255 && NOFLAG(x[u])!=me ->
			old = x[u]; oldd = d[u];
			if :: old!=0 && oldd==0 -> oldd = count :: else fi;
			if :: old & TOP -> grepl = 1 :: else fi
		:: else
		fi
	};
	if
	:: noroom && (ddl) ->			/* as a database slot: dead for good */
		evd = 255; evx = 255; ver++
	:: noroom && !(ddl) ->
		evd = 255; d_step { MAXTO(evx, me) }; ver++
	:: else ->
#if WORD==1
		wmax(); wrec(); ver++
#elif WORD==2
		ver++; wmax(); wrec()
#else
		wrec(); wmax(); ver++
#endif
#if !FLAGWORD
		; fl[u] = (ddl)
#endif
	fi;
	d_step { noroom = 0; w = 0; u = 0; old = 0; oldd = 0 };
	unlock()
}
/* done in all entries with this xid: plain ones, or flagged ones */
inline settle(top)
{
	c = count;
	lock();
	d_step {
		t = 0;
		do
		:: t < K ->
			if
#if FLAGWORD
			:: x[t]==(me | ((top) -> TOP : 0)) -> d[t] = c
#else
			:: x[t]==me && fl[t]==(top) -> d[t] = c
#endif
			:: else
			fi; t++
		:: else -> break
		od;
		t = 0; c = 0
	};
	unlock()
}

proctype W(byte id)
{
	byte me, ty, w, u, t, old, oldd, c;
	bit noroom;

	atomic {
		!stop && nextx==id+1 -> me = nextx; nextx++; running = running|BIT(me);
#if DDL==0
		ty = 1;
#elif DDL==1
		if :: ty = 1 :: ty = 2 :: ty = 3 fi;
#elif DDL==2
		ty = 2;
#else
		if :: id==0 -> ty = DDL-1 :: else -> ty = 1 fi;
#endif
		rmods = rmods | BIT(me);
		if :: ty!=1 -> cmods = cmods | BIT(me) :: else fi
	};
	if :: ty!=2 -> announce(0) :: else fi;
	if :: ty!=1 -> announce(1) :: else fi;
	if :: committed = committed|BIT(me) :: skip fi;
	d_step { !stop; running = running & ~BIT(me); count++; MAXTO(latest, me) };
	if
	:: ty!=2 -> if :: settle(0) :: skip fi
	:: else
	fi;
	if
	:: ty!=1 ->
		if :: (committed>>me)&1 -> sent = sent|BIT(me) :: else fi;
		if :: settle(1) :: skip fi
	:: else
	fi
}

#if MASK
#define FIN(w,z) (((z)!=0 && L>=(z)) || (!((w)&TOP) && ((F>>NOFLAG(w))&1)))
#else
#define FIN(w,z) (((z)!=0 && L>=(z)) || ((F>>NOFLAG(w))&1))
#endif
inline rrec()
{
	t = 0;
	do
	:: t < K ->
#if !FLAGWORD
		xx = x[t]; if :: fl[t] -> xx = xx | TOP :: else fi; dd = d[t];
#elif RXD==1
		xx = x[t]; dd = d[t];
#else
		dd = d[t]; xx = x[t];
#endif
		d_step { if :: xx!=0 && !FIN(xx,dd) -> ok = 0; stop = 1 :: else fi; xx = 0; dd = 0; t++ }
	:: else -> break
	od;
	t = 0
}
inline rmax()
{
	xx = evd; dd = evx;
	d_step { if :: !(xx<=L || dd<XM) -> ok = 0; stop = 1 :: else fi; xx = 0; dd = 0 }
}
inline rd(v)
{
#if RORD==1
	v = ver; rrec(); rmax()
#elif RORD==2
	rrec(); rmax(); v = ver
#elif RORD==3
	v = ver; rmax(); rrec()
#elif RORD==4
	v = ver; rrec(); rmax(); if :: ver!=v -> ok = 0; stop = 1 :: else fi
#elif RORD==5
	rmax(); v = ver; rrec()
#endif
}

proctype Filler()
{
	byte F, XM, L, t, xx, dd, v, plan, seen;
	bit ok = 1;

#if DDL
	seen = sent;
	plan = VIS & cmods;
#endif
	snap(F, XM, L);
	rd(v);
#if DDL
	if :: sent!=seen -> ok = 0; stop = 1 :: else fi;
#endif
	if
	:: ok ->
		d_step {
			Ev = v; Erows = rmods & committed & F; Eplan = plan; Evalid = 1;
			F = 0; XM = 0; L = 0; v = 0; plan = 0; seen = 0
		}
	:: else
	fi
}

proctype Reader()
{
	byte F, XM, L, t, xx, dd, v;
	bit ok = 1;

	snap(F, XM, L);
	Evalid;
	rd(v);
	if
	:: ok && v==Ev ->
#if REACH==1
		assert(false);
#elif REACH==2
		assert(Eplan==0);
#elif REACH==3
		assert(!grepl);
#endif
		assert(Erows == (rmods & committed & F));
		assert(Eplan == (cmods & committed & F))
	:: else -> stop = 1
	fi
}

init
{
	byte i;

	atomic {
		run Filler(); run Reader();
		do :: i < NW -> run W(i); i++ :: else -> break od
	}
}
