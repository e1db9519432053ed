/*
 * catalog.pml: catalog changes (rule 8), together with changes of rows.
 *
 * One statement reads one relation and calls one function.  It depends on two
 * slots: slot 0 is the relation's, slot 1 the database's slot for catalog
 * announcements.  What it returns is made of
 *	 - rows:	the row changes committed and finished for its snapshot;
 *	 - plan:	what the planner saw of two catalog items, the function's body
 *				and the relation's definition, read one after the other, from
 *				the backend's cache or fresh;
 *	 - form:	what parse analysis saw (ANA), which is part of the key.
 * A backend's cache may be old until it accepts invalidation messages, and
 * those are sent after the transaction has left the ProcArray, after its
 * COMMIT callback and, for a prepared transaction, by somebody else.
 *
 * Writers are of these types (TYPES: bit mask of those allowed):
 *	 1	changes rows of the relation				slot 0, plain
 *	 2	replaces the function						slot 1
 *	 3	alters the relation, rewriting its rows		slot 0, flag ddl
 *	 4	as 3, and its rows are announced first		slot 0, plain, then flag
 *	 5	as 3, and its rows are announced after		slot 0, flag, then plain
 *	 6	replaces the function and changes rows		slot 1, and slot 0 plain
 * An aborted transaction's changes are visible to nobody.
 *
 * At every hit the served rows and the served plan must equal what the reader
 * would have got in its own snapshot.
 */
#ifndef NW
#define NW 2
#endif
#ifndef K
#define K 1				/* entries per slot */
#endif
#ifndef TYPES
#define TYPES 126		/* bit t: type t is allowed */
#endif
#ifndef FIRST
#define FIRST 0			/* not 0: writer 0 has this type */
#endif
#ifndef FATES
#define FATES 3			/* bit 0: ends by itself; bit 1: is prepared and
						 * finished by somebody else, nobody settles */
#endif
#ifndef GEN
#define GEN 1			/* 1 generation captured before planning, messages
						 *	 accepted after versions and settled
						 * 0 BAD: no generation check
						 * 2 BAD: captured after planning
						 * 3 BAD: messages accepted before the snapshot only
						 * 4 BAD: messages accepted after the snapshot but
						 *	 before the versions are noted */
#endif
#ifndef LAZY
#define LAZY 0			/* 1: the plan is made after the snapshot was taken
						 * 2: either */
#endif
#ifndef ANA
#define ANA 0			/* 0 parse analysis not modelled
						 * 1 analysed form is in the key
						 * 2 BAD: not in the key, generation before planning
						 * 3 not in the key, generation before analysis */
#endif
#ifndef DDLSET
#define DDLSET 0		/* ddl entry finished: 0 by done only; 1 BAD: xid too */
#endif
#ifndef DONEAT
#define DONEAT 0		/* done of ddl entries is written
						 * 0 after the messages were sent
						 * 1 BAD: in the COMMIT callback, with the plain ones
						 * 2 BAD: at the end of PREPARE as well
						 * 3 BAD: settle at COMMIT writes every entry of the
						 *	 relation slot with its xid, flagged or not */
#endif
#ifndef EVD
#define EVD 0			/* ddl entry leaves: 0 with done <> 0 only
						 * 1 BAD: also when not in the ProcArray
						 * 2 as 0, but does not raise the maxima */
#endif
#ifndef NOROOM
#define NOROOM 0		/* 0 relation slot full: the database slot instead;
						 *	 database slot full: dead for good
						 * 1 BAD: relation slot full: overflow as plain
						 * 2 BAD: database slot full: overflow as plain
						 * 3 BAD: dead slot has only evicted_done infinite
						 *	 (evicted_xid := max), never healed
						 * 4 BAD: dead slot is healed by count */
#endif
#ifndef KEEPFLAG
#define KEEPFLAG 1		/* 0 BAD: a later plain announcement drops the flag */
#endif
#ifndef SETFLAG
#define SETFLAG 1		/* 0 BAD: ddl finds own plain entry, leaves it plain */
#endif
#ifndef HELP
#define HELP 0			/* 0 no helper
						 * 1 done := count once the lock is seen released
						 * 2 BAD: once it is seen out of the ProcArray
						 * 3 BAD: done := count read before looking */
#endif
#ifndef LOST
#define LOST 0			/* transaction 1 replaced the function, was prepared
						 * before the restart; its announcement is lost
						 * 1 BAD: rule 7 by S.xmin >= N only
						 * 2 also: no lock of a transaction below N is held,
						 *	 looked at before the messages are accepted
						 * 3 BAD: as 2, but looked at after */
#endif
#ifndef ORDER
#define ORDER 0			/* slots are read 0 relation first, 1 database first */
#endif
#ifndef REACH
#define REACH 0			/* is a hit reachable: 1 at all; 2 after a ddl entry
						 * left; 3 after a fallback; 4 after a helper's done,
						 * with a changed plan; 5 with a dead slot;
						 * 6 with changed rows and changed plan */
#endif

#define INF 255
#define BIT(z) (1<<(z))
#define MAXTO(a,b) if :: (b) > (a) -> a = (b) :: else fi
#define ROWTY(y) ((y)!=2)
#define CATTY(y) ((y)!=1)

typedef Slot { byte ver; byte x[K]; bit f[K]; byte d[K]; byte evd; byte evx };

byte	count = 1, nextx = 1, latest, N;
byte	running, committed;		/* masks of xids */
byte	rmods;					/* who changed rows */
byte	fmods, dmods;			/* who changed function, definition */
byte	sent;					/* whose messages are in the queue */
byte	rel;					/* whose transaction lock is released */
Slot	sl[2];
bit		Evalid;
byte	Ev[2], Erows, Eplan, Eform;
bit		stop;					/* no hit can follow: ends the search here */
bit		gevict, gfall, ghelp, gdead;	/* ghosts, for REACH */

#define VIS		(committed & ~running)

inline snap(F, XM, L)
{
	d_step {
		F = (BIT(latest+1)-1) & ~running;
		XM = 1;
		do :: XM <= latest && !((running>>XM)&1) -> XM++ :: else -> break od;
		L = count
	}
}

#if DDLSET==0
#define XIDOK(s,i)	(!sl[s].f[i])
#else
#define XIDOK(s,i)	(true)
#endif
#define FINISHED(s,i) ((sl[s].d[i]!=0 && L>=sl[s].d[i]) || (XIDOK(s,i) && ((F>>sl[s].x[i])&1)))

inline settled(s)		/* inside d_step; only lowers ok */
{
	t = 0;
	do
	:: t < K ->
		if :: sl[s].x[t]!=0 && !FINISHED(s,t) -> ok = 0 :: else fi; t++
	:: else -> break
	od;
	t = 0;
	if :: !(sl[s].evd<=L || sl[s].evx<XM) -> ok = 0 :: else fi
}

#if EVD==1
#define EVICTABLE(s,i)	(sl[s].d[i]!=0 || !((running>>sl[s].x[i])&1))
#else
#define EVICTABLE(s,i)	(sl[s].d[i]!=0 || (!sl[s].f[i] && !((running>>sl[s].x[i])&1)))
#endif

/* announce xid me on slot s; noroom := 1 if a ddl announcer finds no room */
inline push(s, ddl)
{
	d_step {
		!stop; t = 0; u = INF;
		if
		:: sl[s].evd==INF && sl[s].evx!=INF && NOROOM!=3 &&
		   (running & (BIT(sl[s].evx+1)-1))==0 -> sl[s].evd = count
#if NOROOM==4
		:: sl[s].evd==INF && sl[s].evx==INF -> sl[s].evd = count
#endif
		:: else
		fi;
		do
		:: t < K ->
			if
			:: sl[s].x[t]==me -> u = t; break
			:: u==INF && sl[s].x[t]==0 -> u = t
			:: else
			fi; t++
		:: else -> break
		od;
		if
		:: u==INF ->
			t = 0;
			do
			:: t < K -> if :: EVICTABLE(s,t) -> u = t; break :: else fi; t++
			:: else -> break
			od;
			if
			:: u!=INF ->
				gevict = gevict | sl[s].f[u];
				if :: sl[s].d[u]==0 -> sl[s].d[u] = count :: else fi;
				if
				:: EVD==2 && sl[s].f[u]
				:: else -> MAXTO(sl[s].evd, sl[s].d[u]); MAXTO(sl[s].evx, sl[s].x[u])
				fi;
				sl[s].f[u] = 0
			:: else
			fi
		:: else
		fi;
		if
		:: u!=INF ->
			if
			:: sl[s].x[u]==me && (ddl) -> if :: SETFLAG -> sl[s].f[u] = 1 :: else fi
			:: sl[s].x[u]==me && !(ddl) -> if :: !KEEPFLAG -> sl[s].f[u] = 0 :: else fi
			:: else -> sl[s].f[u] = (ddl)
			fi;
			sl[s].x[u] = me; sl[s].d[u] = 0; sl[s].ver++
		:: u==INF && (ddl) && s==0 && NOROOM!=1 -> noroom = 1; gfall = 1
		:: u==INF && (ddl) && s==1 && NOROOM!=2 ->
			sl[s].evd = INF; gdead = 1;
			if :: NOROOM==3 -> MAXTO(sl[s].evx, me) :: else -> sl[s].evx = INF fi;
			sl[s].ver++
		:: else ->
			sl[s].evd = INF; MAXTO(sl[s].evx, me); sl[s].ver++
		fi;
		t = 0; u = 0
	}
}

/* write done in every entry of slot s with this xid; flagged ones: if fl */
inline settle1(s, fl, plain)
{
	d_step {
		!stop; t = 0;
		do
		:: t < K ->
			if
			:: sl[s].x[t]==me && sl[s].d[t]==0 && ((fl) || !sl[s].f[t]) &&
			   ((plain) || sl[s].f[t]) -> sl[s].d[t] = c
			:: else
			fi; t++
		:: else -> break
		od;
		t = 0
	}
}

proctype W(byte id)
{
	byte me, ty, c, t, u;
	bit noroom;

	atomic {
		!stop && nextx == id+1+(LOST!=0) -> skip;
		if
		:: (TYPES>>1)&1 -> ty = 1
		:: (TYPES>>2)&1 -> ty = 2
		:: (TYPES>>3)&1 -> ty = 3
		:: (TYPES>>4)&1 -> ty = 4
		:: (TYPES>>5)&1 -> ty = 5
		:: (TYPES>>6)&1 -> ty = 6
		fi;
#if FIRST
		if :: id==0 -> ty = FIRST :: else fi;
#endif
		me = nextx; nextx++; running = running | BIT(me);
		if :: ROWTY(ty) -> rmods = rmods | BIT(me) :: else fi;
		if :: ty==2 || ty==6 -> fmods = fmods | BIT(me) :: else fi;
		if :: ty>=3 && ty<=5 -> dmods = dmods | BIT(me) :: else fi
	};

	/* PRE_COMMIT, PRE_PREPARE */
	if :: ty==1 || ty==4 || ty==6 -> push(0, 0) :: else fi;
	if :: ty>=3 && ty<=5 -> push(0, 1) :: else fi;
	if :: ty==2 || ty==6 || noroom -> push(1, 1) :: else fi;
	if :: ty==5 -> push(0, 0) :: else fi;
#if DONEAT==2
	c = count; settle1(0, 1, 0); settle1(1, 1, 0); c = 0;
#endif

	if :: committed = committed | BIT(me) :: skip fi;
	d_step { !stop; running = running & ~BIT(me); count++; MAXTO(latest, me) };

	if
	:: (FATES&1) ->
		c = count;				/* COMMIT callback */
		if
		:: ROWTY(ty) ->
#if DONEAT==1 || DONEAT==3
			settle1(0, 1, 1)
#else
			settle1(0, 0, 1)
#endif
		:: else
		fi;
#if DONEAT==1
		if :: CATTY(ty) -> settle1(1, 1, 1) :: else fi;
#endif
		c = 0;
		if
		:: CATTY(ty) ->
			if :: (committed>>me)&1 -> sent = sent | BIT(me) :: else fi;
			rel = rel | BIT(me);
			c = count;			/* ResourceRelease callback */
			if :: ty!=2 && ty!=6 -> settle1(0, 1, 0) :: else fi;
			if :: ty==2 || ty==6 || noroom -> settle1(1, 1, 0) :: else fi
		:: else
		fi
	:: (FATES&2) ->				/* COMMIT PREPARED, by anybody */
		if
		:: CATTY(ty) ->
			if :: (committed>>me)&1 -> sent = sent | BIT(me) :: else fi;
			rel = rel | BIT(me)
		:: else
		fi
	fi;
	d_step { c = 0; noroom = 0; ty = 0 }
}

/* writes done for one transaction that nobody settles */
proctype Helper()
{
	byte me, c, t;

	if :: me = 1 :: NW>1 -> me = 2 fi;
#if HELP==3
	c = count;
#endif
#if HELP==2
	(nextx>me && !((running>>me)&1));
#else
	((rel>>me)&1);
#endif
#if HELP!=3
	c = count;
#endif
	settle1(0, 1, 0);
	settle1(1, 1, 0);
	ghelp = 1;
	c = 0; me = 0
}

/* note version and settled; give up at once if not settled */
inline check(s, v)
{
	d_step {
		v = sl[s].ver;
		settled(s);
		if :: !ok -> stop = 1 :: else fi
	}
}
/* hit: as check, and the version must be the entry's */
inline recheck(s)
{
	d_step {
		if :: sl[s].ver != Ev[s] -> ok = 0 :: else fi;
		settled(s);
		if :: !ok -> stop = 1 :: else fi
	}
}

proctype Filler()
{
	byte F, XM, L, t, v0, v1, seen, cs, plan, form;
	bit ok = 1, late;

#if ANA
#if ANA==3
	seen = sent;
#endif
	cs = VIS;								/* the cache, loaded since */
	if :: form = cs & fmods :: form = VIS & fmods fi;
#endif
#if LAZY==1
	late = 1;
#elif LAZY==2
	if :: late = 1 :: skip fi;
#endif

	/* the last time messages were accepted before planning */
#if ANA==3
	if :: skip :: cs = VIS fi;				/* none since the analysis */
#else
	seen = sent;
	cs = VIS;								/* the cache, loaded since */
#endif
	if
	:: late ->
		snap(F, XM, L);
#if ANA!=3
		if :: skip :: seen = sent; cs = VIS fi
#endif
	:: else
	fi;
	if :: plan = cs & fmods :: plan = VIS & fmods fi;
	if :: plan = plan | (cs & dmods) :: plan = plan | (VIS & dmods) fi;
	cs = 0;
#if GEN==2
	seen = sent;
#endif

#if GEN==3
	if :: sent != seen -> ok = 0; stop = 1 :: else fi;
#endif
	if :: !late -> snap(F, XM, L) :: else fi;
#if GEN==4
	if :: sent != seen -> ok = 0; stop = 1 :: else fi;
#endif
#if ORDER==0
	check(0, v0);
	check(1, v1);
#else
	check(1, v1);
	check(0, v0);
#endif
#if LOST
	if :: XM < N -> ok = 0; stop = 1 :: else fi;
#endif
#if LOST==2
	if :: !((rel>>1)&1) -> ok = 0; stop = 1 :: else fi;
#endif
#if GEN==1 || GEN==2
	if :: sent != seen -> ok = 0; stop = 1 :: else fi;
#endif
#if LOST==3
	if :: !((rel>>1)&1) -> ok = 0; stop = 1 :: else fi;
#endif
	if
	:: ok ->
		d_step {
			Ev[0] = v0; Ev[1] = v1; Eplan = plan & committed; Eform = form;
			Erows = rmods & committed & F; Evalid = 1
		}
	:: else -> stop = 1
	fi;
	d_step { F = 0; XM = 0; L = 0; v0 = 0; v1 = 0; seen = 0; plan = 0; form = 0; ok = 0; late = 0 }
}

proctype Reader()
{
	byte F, XM, L, t, form;
	bit ok = 1;

#if ANA
	form = VIS & fmods;
#endif
	snap(F, XM, L);
	Evalid;
#if ANA==1
	if :: form != Eform -> ok = 0; stop = 1 :: else fi;
#endif
#if ORDER==0
	recheck(0);
	recheck(1);
#else
	recheck(1);
	recheck(0);
#endif
#if LOST
	if :: XM < N -> ok = 0; stop = 1 :: else fi;
#endif
#if LOST>=2
	if :: !((rel>>1)&1) -> ok = 0; stop = 1 :: else fi;
#endif
	if
	:: ok ->
#if REACH==1
		assert(false);
#elif REACH==2
		assert(!gevict);
#elif REACH==3
		assert(!gfall);
#elif REACH==4
		assert(!ghelp || Eplan==0);
#elif REACH==5
		assert(!gdead);
#elif REACH==6
		assert(Eplan==0 || Erows==0);
#endif
		assert(Erows == (rmods & committed & F));
		assert(Eplan == ((fmods|dmods) & committed & F));
#if ANA>=2
		assert(Eform == (fmods & committed & F))
#endif
	:: else
	fi
}

/* finishes the transaction that was prepared before the restart */
proctype Pfin()
{
	if :: committed = committed | BIT(1) :: skip fi;
	d_step { running = running & ~BIT(1); count++; MAXTO(latest, 1) };
	if :: (committed>>1)&1 -> sent = sent | BIT(1) :: else fi;
	rel = rel | BIT(1)
}

init
{
	byte i;

	atomic {
#if LOST
		nextx = 2; running = BIT(1); fmods = BIT(1); N = 2;
		run Pfin();
#endif
		run Filler(); run Reader();
#if HELP
		run Helper();
#endif
		i = 0;
		do :: i < NW -> run W(i); i++ :: else -> break od
	}
}
